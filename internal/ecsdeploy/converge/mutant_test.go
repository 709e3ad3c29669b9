package converge

import "testing"

// mutants break the rule in one way each. The model has to find a run that ends wrong.
func mutants() []*scenario {
	noLook := func(_ *world, p *process, c Call) {
		if c.Kind == Update {
			p.phase = done
		}
	}
	noEvent := func(*process) bool { return true }
	with := func(m mutant) change { return func(s *scenario) { s.mutant = m } }
	return []*scenario{
		of("no look after the update, no look on the rollout event", two, with(mutant{answered: noLook,
			events: noEvent})),
		of("no look on the rollout event", two, stale(2), with(mutant{events: noEvent})),
		of("no second reading, no look on the rollout event", "a2v2 b4v1", with(mutant{events: noEvent,
			phase: func(_ *known, p *process) {
				if p.phase == rereading {
					p.phase = done
				}
			}})),
		of("an own event is too old to be resumed", "a2v2", crashes(1), with(mutant{phase: func(_ *known, p *process) {
			if p.phase == registering && p.copies.is(p.request.Event) && p.outcome == 0 {
				p.phase = done
			}
		}})),
		of("moves to a revision that another registered", two+" c6v4", with(mutant{phase: func(_ *known, p *process) {
			if (p.phase == registering || p.phase == verifying) && p.copies.Key.Number > 0 && !p.copies.External {
				p.phase, p.Delivery.number = updating, p.copies.Key.Number
			}
		}})),
		of("makes a move again that was overwritten before its answer was lost", "a2v2 b3v3 c4v4", lost(1), noLooks,
			with(mutant{phase: func(k *known, p *process) {
				if p.phase == looking && k.rolls.runs() != p.Delivery.number {
					p.phase = updating
				}
			}})),
		of("external rollouts are dated by registration", "a2v2", at(3, "move", ""), at(6, "tfmove", "v9"),
			at(9, "move", ""), with(mutant{service: func(w *world, s Service) Service {
				for i := range s {
					s[i].Created = w.revisions[s[i].Revision-1].Registered
				}
				return s
			}})),
		of("external rollouts count only while they run", "a2v2", at(5, "tfmove", "v9"), with(mutant{
			service: func(_ *world, s Service) Service { return s[:1] }})),
		of("every rollout of its own revisions is its own", two, at(6, "move", "a"), with(mutant{
			service: func(w *world, s Service) Service {
				var kept Service
				for _, r := range s {
					if m := w.revisions[r.Revision-1]; m.by == 'd' {
						r.Created = m.Registered
						if kept.lists(r.Revision) {
							continue
						}
					}
					kept = append(kept, r)
				}
				return kept
			},
			revision: func(_ *world, r Revision) Revision { r.Rollout = ""; return r }})),
		of("no limit of time on an own rollout", two, at(100, "move", "a"), lists(2), with(mutant{
			service: func(w *world, s Service) Service {
				for i, r := range s {
					if m := w.revisions[r.Revision-1]; m.by == 'd' && (m.Rollout == "" || m.Rollout == r.ID) {
						s[i].Created = min(r.Created, m.Registered+OwnRollout)
					}
				}
				return s
			}})),
		of("a rollout event completes only what was overwritten", "a2v2 b4v1", stale(2), crashes(1), with(mutant{
			phase: func(k *known, p *process) {
				if m := p.copies; p.phase == registering && p.request.Event == "" && m.Key.Number > 0 && !k.due(m,
					false) {
					p.phase = done
				}
			}})),
		of("believes a read that is behind the answer to its own move", "a2v2", at(3, "tfmove", "v9"), stale(2),
			noLooks, with(mutant{answered: func(_ *world, p *process, _ Call) { p.seen = nil }})),
		of("leaves what died long ago to the delivery that died", two, late("a", 100), crashes(1), gone, with(mutant{
			revision: func(_ *world, r Revision) Revision { r.Old = false; return r }})),
		of("does not record a choice that was overwritten by its own image", "a2v2 b3v1 c5v4", at(6, "move", ""),
			late("c", 100), drains, noLooks, with(mutant{phase: func(k *known, p *process) {
				if m := p.copies; p.phase == registering && m.External && k.settled(m) {
					p.phase = done
				}
			}})),
		of("leaves what a command registered to the command", two, crashes(1), command("b"), with(mutant{
			revision: func(_ *world, r Revision) Revision { r.Command = false; return r }})),
		of("believes copied tags", two, at(6, "copy", "a"), with(mutant{
			revision: func(w *world, r Revision) Revision { r.Own, r.Other = r.Event != "", false; return r }})),
		of("clones the newest revision, whatever was registered meanwhile", "a2v2", at(5, "tf", ""), with(mutant{
			revision: func(_ *world, r Revision) Revision {
				if r.Own {
					r.Base = r.Number - 1
				}
				return r
			}})),
		of("does not know its own service", "a2v2", at(4, "other", "v8"), with(mutant{
			revision: func(_ *world, r Revision) Revision { r.Own, r.Other = r.Own || r.Other, false; return r }})),
		of("compares images only", "a4v1!", at(2, "tf", ""), with(mutant{
			revision: func(_ *world, r Revision) Revision { r.Demand = AnyConfiguration; return r }})),
		of("ECS's rollback is a choice", two, at(6, "fails", "a"), with(mutant{
			revision: func(_ *world, r Revision) Revision { r.RolledBackBy = ""; return r },
			service: func(_ *world, s Service) Service {
				for i := range s {
					s[i].Rollback = false
				}
				return s
			}})),
		of("does not read what started a rollout", two, at(6, "fails", "a"), silent, with(mutant{blind: true})),
		of("a duplicate of a failed event registers", "a2v2", at(6, "fails", "a"), again(1), with(mutant{
			revision: func(w *world, r Revision) Revision {
				if r.Failed {
					r.Event += "'"
				}
				return r
			}})),
		crowd("crowd of 6, search cut at 2", 5, 0, 1, 2, 3, 4).change(with(mutant{
			revision: func(w *world, r Revision) Revision {
				if n := r.Number; n > 1 && n < len(w.revisions)-2 {
					return Revision{Number: n, Own: true, Event: "-", Time: -1, Image: r.Image,
						Registered: r.Registered}
				}
				return r
			}})),
		crowd("crowd of 6, search cut at 2, then fails and is retried", 5, 0, 1, 2, 3, 4).change(with(mutant{
			unknown: func(w *world, p *process, n int) bool {
				return n > 1 && n < len(w.revisions)-2 && n != p.Delivery.number
			}})),
	}
}

// TestMutants checks that the parts of the rule that the mutants break are needed:
// without one, the model check finds a run that ends wrong. The waits for another
// delivery, Stale after a wait, oldestGap and maxExternal have none.
func TestMutants(t *testing.T) {
	t.Parallel()
	for _, s := range mutants() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			x := explore(s, 300_000)
			if x.wrong == "" {
				t.Fatalf("no run of %d states ended wrong", x.states)
			}
			t.Logf("found among %d states: %s", x.states, x.wrong)
		})
	}
}
