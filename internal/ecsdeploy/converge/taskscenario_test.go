package converge

import "testing"

// The pointers of the cases.
var (
	pinned      = []Form{Pinned}
	floating    = []Form{Floating}
	bothPinned  = []Form{Pinned, Pinned}
	oneOfEither = []Form{Pinned, Floating}
)

// task returns a case of a task with pointers. Events and changes are as of [of].
func task(forms []Form, name, events string, changes ...change) *taskCase {
	return &taskCase{scenario: of(name, events, changes...), forms: forms}
}

func (c *taskCase) inOneRead() *taskCase      { c.joint = true; return c }
func (c *taskCase) largeIf(is bool) *taskCase { c.large = c.large || is; return c }
func (c *taskCase) looksLate() *taskCase      { c.late = true; return c }
func (c *taskCase) lags(n int) *taskCase      { c.lag = n; return c }
func (c *taskCase) handledFirst() *taskCase   { c.handled = true; return c }
func (c *taskCase) givesUp(n int) *taskCase   { c.gives, c.late = n, true; return c }

// fourDeliveries are all kinds of four deliveries, with duplicates.
var fourDeliveries = [][2]string{
	{"four events", two + " c6v4 d8v5"},
	{"oldest of three twice", "a2v2 " + two + " c6v4"},
	{"second of three twice", two + " b4v3 c6v4"},
	{"newest of three twice", two + " c6v4 c6v4"},
	{"two events twice", "a2v2 a2v2 b4v3 b4v3"},
	{"oldest three times", "a2v2 a2v2 a2v2 b4v3"},
	{"newest three times", "a2v2 b4v3 b4v3 b4v3"},
	{"one event four times", "a2v2 a2v2 a2v2 a2v2"},
}

// taskCases are the cases that end right.
func taskCases() (all []*taskCase) {
	for _, forms := range [][]Form{pinned, floating, bothPinned, oneOfEither} {
		all = append(all,
			task(forms, "one event, 2 deaths, again", "a2v2", crashes(2), again(1)),
			task(forms, "two events, 1 death", two, crashes(1)),
			task(forms, "two events, 2 deaths", two, crashes(2), large),
			task(forms, "to what ran, 1 death", "a2v2 b4v1", crashes(1)),
			task(forms, "three events, 1 death", two+" c6v4", crashes(1), large),
			task(forms, "three events, 2 deaths", two+" c6v4", crashes(2), large),
			task(forms, "oldest twice, 1 death", "a2v2 "+two, crashes(1), large),
			task(forms, "newest twice", "a2v2 b4v3 b4v3").largeIf(forms[0] == Pinned),
			task(forms, "two events, 1 lost answer", two, lost(1)),
			task(forms, "two events, one gives up, 1 death", two, crashes(1)).givesUp(1),
			task(forms, "three events, two give up", two+" c6v4", large).givesUp(2),
			task(forms, "stale reads 2", two, stale(2)).looksLate(),
			task(forms, "stale reads 1, 1 death", two, stale(1), crashes(1), large).looksLate(),
			task(forms, "another service's", "a2v2 b60v3", at(30, "other", "v8"), crashes(1)),
			task(forms, "Terraform registers, then an event, 1 death", "a2v2 b60v3", at(30, "tf", "v9"), crashes(1)),
			task(forms, "push of what runs, 1 death", "a4v1", crashes(1), again(1)),
		)
	}
	for _, four := range fourDeliveries {
		events := len(of("", four[1]).line)
		for deaths, name := range map[int]string{1: four[0] + ", 1 death", 2: four[0] + ", 2 deaths"} {
			all = append(all, task(pinned, name, four[1], crashes(deaths), large),
				task(floating, name, four[1], crashes(deaths)).largeIf(events > 2 || deaths > 1))
		}
	}
	return append(all,
		task(floating, "Terraform registers late", "a2v2 b4v3", at(50, "tf", "v9"), again(1)),
		task(pinned, "Terraform registers", two, at(50, "tf", "v9"), crashes(1)),
		task(pinned, "Terraform moves late, 1 death", two, at(50, "tfmove", "v9"), crashes(1)),
		task(pinned, "Terraform moves to what ECS does not show yet, 1 death", two, at(50, "tfmove", "v9"), crashes(1)).
			looksLate().lags(maxWaits),
		task(pinned, "moved back to a, again", two, at(50, "move", "a"), again(2)),
		task(pinned, "moved back to 1, again", "a2v2", at(50, "move", ""), again(2)),
		task(pinned, "moved back to a, then a new event", "a2v2 b4v3 c90v4", at(50, "move", "a"), large).inOneRead(),
		task(pinned, "moved back after a push of what ran", "a2v2 b30v2", at(60, "move", ""), again(1)).handledFirst(),
		task(pinned, "what it holds is deregistered, 1 death", two, at(50, "off", ""), crashes(1)).looksLate(),
		task(pinned, "what it holds is deleted, 1 death", two, at(50, "gone", ""), crashes(1)).looksLate(),
		task(bothPinned, "what they hold is deregistered", two, at(50, "off", "")).looksLate(),
		task(oneOfEither, "what one holds is deregistered", two, at(50, "off", "")).looksLate(),
		task(pinned, "what it holds is deregistered, then a push of it, 1 death", "a2v2 b60v2", at(50, "off", ""),
			crashes(1)),
		task(pinned, "what it holds is deleted, then an event, 1 death", "a2v2 b60v3", at(50, "gone", ""), crashes(1)),
		task(pinned, "what it holds is deregistered, again", two, at(50, "off", ""), again(1)).handledFirst().
			looksLate(),
		task(bothPinned, "one is moved back to a, again", two, at(50, "move", "a"), again(1)),
	)
}

// TestEveryTaskEndsRight checks that every run of every case of a task ends with the newest
// choice in all of its pointers.
func TestEveryTaskEndsRight(t *testing.T) {
	t.Parallel()
	for _, c := range taskCases() {
		t.Run(nameOf(c), func(t *testing.T) {
			t.Parallel()
			if c.large && !*deeper {
				t.Skip("runs in `make model`")
			}
			x := exploreTask(c)
			t.Logf("%d states, %d ends; in these up to %d writes and %d revisions", x.states, x.ends, x.most,
				x.revisions)
			if x.wrong != "" {
				t.Fatal(x.wrong)
			}
			if x.ends == 0 {
				t.Fatal("no run ended")
			}
		})
	}
}

func nameOf(c *taskCase) string {
	name := ""
	for _, f := range c.forms {
		name += map[Form]string{Pinned: "pinned ", Floating: "floating "}[f]
	}
	return name + c.name
}

// taskMutants break the rule in one way each. The model has to find a run that ends wrong.
func taskMutants() []*taskCase {
	with := func(c *taskCase, phase func(*known, *Delivery)) *taskCase { c.phase = phase; return c }
	noCopy := func(_ *known, d *Delivery) {
		if d.phase == verifying || d.phase == registering && d.copies.Key.Number > 0 {
			d.phase = done
		}
	}
	change := func(c *taskCase, moved func(*known, Revision) Revision) *taskCase { c.moved = moved; return c }
	return []*taskCase{
		change(task(pinned, "a deregistered revision counts", two, at(50, "off", "")).looksLate(),
			func(_ *known, r Revision) Revision { r.Unusable = false; return r }),
		change(task(pinned, "a deregistered revision counts for a push of it", "a2v2 b60v2", at(50, "off", "")),
			func(_ *known, r Revision) Revision { r.Unusable = false; return r }),
		change(task(pinned, "a deleted revision is another tool's choice", two, at(50, "gone", "")).looksLate(),
			func(_ *known, r Revision) Revision { r.Gone = false; return r }),
		change(task(pinned, "what ECS does not show yet is deleted", two, at(50, "tfmove", "v9")).looksLate().lags(2),
			func(_ *known, r Revision) Revision { r.Unseen = false; return r }),
		with(task(floating, "no copy of the winner", two), noCopy),
		with(task(pinned, "no copy of the winner", two), noCopy),
		with(task(pinned, "no look after the move", two), func(_ *known, d *Delivery) {
			if d.phase == looking {
				d.phase = done
			}
		}),
		with(task(pinned, "no look at all, and one gives up", two).givesUp(1), func(_ *known, d *Delivery) {
			if d.request.Event == "" {
				d.phase = done
			}
		}),
		with(task(pinned, "leaves another event's move to its own delivery", two).givesUp(1),
			func(k *known, d *Delivery) {
				if m := k.winner(); d.phase == registering && d.copies.Key.Number > 0 && !m.is(d.request.Event) {
					d.phase = done
				}
			}),
		{scenario: of("a noted move counts as not made", two, at(50, "move", "a"), again(1)), forms: pinned,
			moved: func(_ *known, r Revision) Revision { r.Ended = 0; return r }},
	}
}

func TestEveryTaskMutantIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range taskMutants() {
		t.Run(nameOf(c), func(t *testing.T) {
			t.Parallel()
			x := exploreTask(c)
			if x.wrong == "" {
				t.Fatalf("no run ends wrong: %d states, %d ends", x.states, x.ends)
			}
			t.Log(x.wrong)
		})
	}
}
