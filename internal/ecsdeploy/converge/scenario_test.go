package converge

import (
	"cmp"
	"flag"
	"slices"
	"strings"
	"testing"
)

// deeper is set by `make model`. It needs minutes.
var deeper = flag.Bool("deeper", false, "run the large cases too")

// change changes the bounds of a case.
type change func(*scenario)

func crashes(n int) change { return func(s *scenario) { s.crashes = n } }
func again(n int) change   { return func(s *scenario) { s.again = n } }
func lost(n int) change    { return func(s *scenario) { s.lost = n } }
func noLooks(s *scenario)  { s.looks = false }
func waits(n int) change   { return func(s *scenario) { s.waits = n } }
func lists(n int) change   { return func(s *scenario) { s.listed = n } }
func early(s *scenario)    { s.early = true }
func drains(s *scenario)   { s.drains = true }
func noted(s *scenario)    { s.noted = true }
func silent(s *scenario)   { s.silent = true }
func gone(s *scenario)     { s.gone = true }

// command makes an event a person's command.
func command(event string) change { return func(s *scenario) { s.command = event } }
func large(s *scenario)           { s.large = true }
func slow(s *scenario)            { s.slow = true }

// late makes an event be delivered only after a time.
func late(event string, time int) change {
	return func(s *scenario) {
		for i, o := range s.line {
			if o.what == "emit" && o.arg == event {
				s.line[i].at = time
			}
		}
	}
}

// stale allows stale reads, which may miss a process's own writes too.
func stale(n int) change { return func(s *scenario) { s.stale, s.fresh = n, false } }

// staleOthers allows stale reads of the writes of others.
func staleOthers(n int) change { return func(s *scenario) { s.stale = n } }

// at adds an occurrence.
func at(time int, what, arg string) change {
	return func(s *scenario) { s.line = append(s.line, occurrence{time, what, arg}) }
}

// of returns a case of events such as "a2v2": event a, at time 2, for image v2; with !
// a DEPLOY that also rolls out a newer configuration. The same one twice is delivered
// twice.
func of(name, events string, changes ...change) *scenario {
	s := &scenario{name: name, fresh: true, listed: 3, looks: true}
	emitted := map[string]bool{}
	for _, e := range strings.Fields(events) {
		r := Request{Event: e[:1], Image: strings.TrimSuffix(e[strings.IndexByte(e, 'v'):], "!")}
		time := 0
		for _, digit := range e[1:strings.IndexByte(e, 'v')] {
			time = 10*time + int(digit-'0')
		}
		r.Time = int64(time) * unit
		if strings.HasSuffix(e, "!") {
			r.Demand = NewerConfiguration
		}
		s.events = append(s.events, r)
		if !emitted[r.Event] {
			emitted[r.Event] = true
			s.line = append(s.line, occurrence{time, "emit", r.Event})
		}
	}
	for _, c := range changes {
		c(s)
	}
	slices.SortStableFunc(s.line, func(a, b occurrence) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.what, b.what))
	})
	return s
}

// crowd returns a case of six deliveries that all read before any registered, and have
// registered in an order.
func crowd(name string, order ...int) *scenario {
	s := of(name, "e1v2 f2v3 g3v4 h4v5 i5v6 j6v7")
	s.looks, s.order = false, order
	return s
}

// change returns the case with a change.
func (s *scenario) change(c change) *scenario {
	c(s)
	return s
}

const two = "a2v2 b4v3"

// cases are the cases that end right.
func cases() []*scenario {
	return []*scenario{
		of("two events, 2 deaths", two, crashes(2), large),
		of("two events, 1 death, 1 lost answer", two, crashes(1), lost(1), large),
		of("two events, 1 lost answer, no looks", two, lost(1), noLooks),
		of("three events, 1 lost answer, no looks", "a2v2 b3v3 c4v4", lost(1), noLooks, large),
		of("one event, 1 death, 1 lost answer, again", "a2v2", crashes(1), lost(1), again(1)),
		of("two events, 2 waits", two, waits(2)),
		of("Terraform moves after one, 1 wait, 1 death", "a2v2", at(5, "tfmove", "v9"), waits(1), crashes(1)),
		of("to what ran, 2 deaths", "a2v2 b4v1", crashes(2), large),
		of("three events", two+" c6v4", large),
		of("oldest twice", "a2v2 "+two, large),
		of("newest twice, to what ran", "a2v2 b4v1 b4v1", large),
		of("twice at once, 1 death", "a2v2 a2v2", crashes(1)),
		of("twice at once, Terraform moves between", "a2v2 a2v2", at(3, "tfmove", "v9"), slow),
		of("looks before the maker ended", two, early),
		of("the same, moved back to a late", two, at(100, "move", "a"), early),
		of("a delivered again, 1 death", "a2v2", crashes(1), again(2)),
		of("stale reads 2, own too", two, stale(2)),
		of("stale reads 2, own are fresh", two, staleOthers(2)),
		of("to what ran, stale 2, 1 death", "a2v2 b4v1", stale(2), crashes(1), large),
		of("moved back to a", two, at(6, "move", "a")),
		of("moved back to a, stale 2", two, at(6, "move", "a"), stale(2), slow),
		of("moved back to a late, 1 death", two, at(100, "move", "a"), crashes(1), slow),
		of("moved back to a late, again 2", two, at(100, "move", "a"), again(2), large),
		of("moved to 1 between, 1 death", two, at(3, "move", ""), crashes(1), slow),
		of("moved to 1 after, stale 1", two, at(6, "move", ""), stale(1), large),
		of("moved to 1 after a, 2 deaths", "a2v2", at(6, "move", ""), crashes(2), again(1)),
		of("moved to 1, then a new event, 1 death", "a2v2 b100v3", at(50, "move", ""), crashes(1)),
		of("moved to 1, b moves to its image, c is late", "a2v2 b3v1 c5v4", at(6, "move", ""), late("c", 100), drains,
			large),
		of("the same, no looks", "a2v2 b3v1 c5v4", at(6, "move", ""), late("c", 100), drains, noLooks, slow),
		of("moved back to a late, ECS lists 2", two, at(100, "move", "a"), lists(2)),
		of("copy of a", two, at(6, "copy", "a"), large),
		of("copy of a late, 1 death", two, at(100, "copy", "a"), crashes(1), slow),
		of("copy of a late, stale 2", two, at(100, "copy", "a"), stale(2)),
		of("Terraform registers, 1 death", two, at(5, "tf", ""), crashes(1), large),
		of("Terraform moves after", two, at(5, "tfmove", "v9"), large),
		of("Terraform moves between, stale 1", two, at(3, "tfmove", "v9"), stale(1), large),
		of("Terraform moves between, stale 2, no looks", "a2v2", at(3, "tfmove", "v9"), stale(2), noLooks),
		of("b dies for good, a is late", two, late("a", 100), crashes(1), gone),
		of("b is a command that dies", two, crashes(1), command("b")),
		of("b is a command that dies, no looks", two, crashes(1), command("b"), noLooks),
		of("Terraform moves late, 1 death", two, at(100, "tfmove", "v9"), crashes(1)),
		of("Terraform moves after one, 2 deaths", "a2v2", at(5, "tfmove", "v9"), crashes(2)),
		of("another service, 1 death", "a2v2 b6v3", at(4, "other", "v8"), crashes(1), slow),
		of("DEPLOY of new configuration, 2 deaths", "a4v1!", at(2, "tf", ""), crashes(2), again(1)),
		of("push of what runs, 1 death", "a4v1", at(2, "tf", ""), crashes(1), again(1)),
		of("DEPLOY, configuration, DEPLOY, 1 death", "a4v1! b6v2!", at(2, "tf", ""), at(5, "tf", ""), crashes(1),
			slow),
		of("b fails", two, at(6, "fails", "b")),
		of("a fails, b is late", two, at(6, "fails", "a")),
		of("a fails, b is late, only noted", two, at(6, "fails", "a"), noted, slow),
		of("a fails, b is late, in silence", two, at(6, "fails", "a"), silent, slow),
		of("a fails, b is after it, in silence", "a2v2 b8v3", at(6, "fails", "a"), silent),
		of("a fails in silence, is delivered again", "a2v2", at(6, "fails", "a"), silent, again(1)),
		of("moved back to 1 in silence, b is late", "a2v2 b4v3", at(6, "move", ""), silent, slow),
		of("a fails, is delivered again, 1 death", "a2v2", at(6, "fails", "a"), crashes(1), again(1)),
		crowd("crowd of 6, newest registers first", 5, 0, 1, 2, 3, 4),
		crowd("crowd of 6, newest registers second", 0, 5, 1, 2, 3, 4),
		crowd("crowd of 6, newest registers third", 0, 1, 5, 2, 3, 4),
		crowd("crowd of 6, newest registers fourth", 0, 1, 2, 5, 3, 4).change(large),
	}
}

// TestEveryRunEndsRight checks that every run of every case ends with the newest choice
// running.
func TestEveryRunEndsRight(t *testing.T) {
	t.Parallel()
	for _, s := range cases() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if s.large && !*deeper {
				t.Skip("runs in `make model`")
			}
			if s.slow && !everyCase && !*deeper {
				t.Skip("runs in `make test-slow`")
			}
			x := explore(s, 0)
			t.Logf("%d states, %d ends, at most %d rollouts by deployers", x.states, x.ends, x.most)
			if x.wrong != "" {
				t.Fatal(x.wrong)
			}
			if x.ends == 0 {
				t.Fatal("no run ended")
			}
		})
	}
}
