package histories

import (
	"slices"
	"strings"
)

// checkWords checks what results and outcomes say.
func (w *world) checkWords() {
	for _, r := range w.record.results {
		w.checkResult(r)
	}
	for _, p := range w.record.published {
		w.checkOutcome(p)
	}
}

func (w *world) checkResult(r result) {
	e := w.record.events[r.eventID]
	if e == nil || r.err != nil || r.service != e.action.Service || e.image == "" {
		return
	}
	ran := func() bool {
		if w.record.runs(r.service, r.start.Add(-w.history.StaleFor)) == e.image {
			return true
		}
		return slices.ContainsFunc(w.record.moves, func(m move) bool {
			return m.service == r.service && m.image == e.image && !m.at.Before(r.start.Add(-w.history.StaleFor)) &&
				!m.at.After(r.end)
		})
	}
	switch r.status {
	case "deployed", "unchanged":
		// What a redeployment finds is decided by each attempt.
		allowed := r.status == "unchanged" && (e.action.Kind == Redeploy || w.carriedOut(e, r))
		if !ran() && !allowed {
			w.problem(checkWords, "%s answered %s (%s), and s%d never ran %s meanwhile", r.attempt.key, r.status,
				r.reason, r.service, e.image)
		}
	case "superseded":
		newer := slices.ContainsFunc(w.choices(r.service), func(c choice) bool {
			return c.name != r.eventID && !c.at.Before(e.at) && c.at.Before(r.end)
		})
		if !newer && !w.reconciled(r) {
			w.problem(checkWords, "%s answered superseded (%s), and there is no newer choice", r.attempt.key, r.reason)
		}
	}
}

// carriedOut reports whether a result says that its event was carried out before, and that is so.
func (w *world) carriedOut(e *requested, r result) bool {
	return r.reason == "this event was carried out before" && slices.ContainsFunc(w.record.moves, func(m move) bool {
		return m.at.Before(r.end) && m.own() && w.record.registrationOf(m.revision).eventID == e.id
	})
}

// reconciled reports whether the schedule's search for lost pushes had registered a revision
// for the service's family: that is a newer choice than the push that it found.
func (w *world) reconciled(r result) bool {
	return slices.ContainsFunc(w.record.registered, func(g registration) bool {
		return g.own() && strings.HasPrefix(g.eventID, "reconcile-") && g.at.Before(r.end) &&
			strings.HasPrefix(g.revision, w.family(r.service)+":")
	})
}

func (w *world) checkOutcome(p publication) {
	e := w.record.events[p.eventID]
	m := w.record.moved(p.deployment)
	if e == nil {
		external := m != nil && p.eventID == "" && (p.kind == "Started" || p.kind == "Succeeded")
		edited := m != nil && w.record.edited[w.record.registrationOf(m.revision).eventID]
		if external && m.by == "function" && !w.movedBackTo(m.revision) && !edited {
			w.problem(checkWords, "%s reports the rollout of %s by the deployer as an external one", p.attempt.key,
				m.revision)
		}
		return
	}
	if m == nil {
		return
	}
	switch {
	case m.ownRevision && m.at.Sub(m.registeredAt) < ownTime: // see choice.optional
	case m.by == "person" || m.by == "terraform":
		w.problem(checkWords, "%s reports the rollout of %s by the %s as %s of %s", p.attempt.key, m.revision, m.by,
			p.kind, p.eventID)
	case m.by == "ECS":
		w.problem(checkWords, "%s reports ECS's rollback to %s as %s of %s", p.attempt.key, m.revision, p.kind,
			p.eventID)
	case p.kind == "Succeeded" && !m.completed:
		w.problem(checkWords, "%s says that the rollout of %s succeeded, which has not ended", p.attempt.key,
			m.revision)
	case p.kind == "Failed" && m.completed:
		w.problem(checkWords, "%s says that the rollout of %s failed, which succeeded", p.attempt.key, m.revision)
	}
}

// movedBackTo reports whether a person moved the service to one of the deployer's revisions so early that either
// rollout of it may be taken for the deployer's own, see choice.optional.
func (w *world) movedBackTo(revision string) bool {
	return slices.ContainsFunc(w.record.moves, func(m move) bool {
		return m.revision == revision && !m.own() && m.ownRevision && m.at.Sub(m.registeredAt) < ownTime
	})
}
