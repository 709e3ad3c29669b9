package histories

import (
	"slices"
	"strings"
	"time"
)

// ended are the outcomes after which nothing more is reported of a deployment.
var ended = []string{"Succeeded", "Failed", "Superseded", "Rejected"}

// checkEnds checks that each event that was answered deployed has one end. A publication by an attempt that failed
// later may be repeated, and so may one by an attempt at the same time.
func (w *world) checkEnds() {
	for _, id := range w.record.order {
		e := w.record.events[id]
		if w.record.edited[id] { // what was reported is not known any more
			continue
		}
		deployed := w.deployed(id)
		var ends []publication
		for _, p := range w.record.published {
			if p.eventID == id && slices.Contains(ended, p.kind) && !(p.kind == "Failed" && p.deployment == "") {
				ends = append(ends, p)
			}
		}
		if deployed && !e.command && len(ends) == 0 && !w.goesOn(e) {
			w.problem(checkEnds, "%s was answered deployed, and its end was never reported", id)
		}
		// A delivery that was superseded by what failed then is no end of the others.
		if w.newerFailed(e) {
			ends = slices.DeleteFunc(ends, func(p publication) bool {
				return p.kind == "Superseded" && p.deployment == ""
			})
		}
		// A rollback that found nothing to roll back to leaves no journal.
		if deployed && e.action.Kind == RollbackEvent {
			ends = slices.DeleteFunc(ends, func(p publication) bool { return p.kind == "Rejected" })
		}
		if !deployed { // no revision has a journal of it, so that each delivery ends as the first one did
			ends = slices.DeleteFunc(ends, func(p publication) bool {
				return p.kind == "Rejected" || p.kind == "Superseded"
			})
		}
		if twice := repeated(ends); twice != "" {
			w.problem(checkEnds, "%s has several ends: %s", id, twice)
		}
	}
}

// newerFailed reports whether a newer choice than an event failed, or one of the same second won.
func (w *world) newerFailed(e *requested) bool {
	second := e.at.Truncate(time.Second)
	return slices.ContainsFunc(w.choices(e.action.Service), func(c choice) bool {
		return c.name != e.id && (c.broken && !c.at.Before(second) || c.at.Truncate(time.Second).Equal(second))
	})
}

// deployed reports whether an event was answered deployed.
func (w *world) deployed(id string) bool {
	return slices.ContainsFunc(w.record.results, func(r result) bool {
		return r.eventID == id && r.status == "deployed"
	})
}

// goesOn reports whether the rollout of an event goes on forever: its image is broken, there is no circuit breaker,
// and it is the last one.
func (w *world) goesOn(e *requested) bool {
	for _, m := range slices.Backward(w.record.moves) {
		if m.service == e.action.Service {
			return m.image == e.image && !m.completed && !m.failed
		}
	}
	return false
}

// repeated returns the ends that were reported without need, "" if there are none.
func repeated(ends []publication) string {
	var certain []publication // not by an attempt that failed later
	for _, p := range ends {
		if !p.attempt.ok {
			continue
		}
		together := slices.ContainsFunc(certain, func(q publication) bool {
			return q.attempt.start.Before(p.attempt.end) && p.attempt.start.Before(q.attempt.end)
		})
		if !together {
			certain = append(certain, p)
		}
	}
	kinds := []string{}
	for _, p := range certain {
		kinds = append(kinds, p.kind+" by "+p.attempt.key)
	}
	if len(certain) < 2 {
		return ""
	}
	return strings.Join(kinds, ", ")
}
