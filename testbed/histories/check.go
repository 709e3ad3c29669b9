package histories

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Problem is something that must not be true at the end of a history.
type Problem struct {
	Check Check
	Text  string
}

// A Check is one of the checks at the end of a history.
type Check string

// The checks, and what each finds.
const (
	checkNewest  Check = "newest"  // the newest choice does not run
	checkUndone  Check = "undone"  // an attempt moved the service away from a newer choice, which it could see
	checkEnds    Check = "ends"    // an event was answered deployed, and has no end, or several
	checkWords   Check = "words"   // a result or an outcome says what is not so
	checkMoves   Check = "moves"   // the deployer moved the service too often
	checkHandled Check = "handled" // an event failed forever, or was rejected
	checkConfig  Check = "config"  // a configuration is lost, or was not rolled out as asked for
)

// Checks are all checks.
var Checks = []Check{checkNewest, checkUndone, checkEnds, checkWords, checkMoves, checkHandled, checkConfig}

// ParseChecks parses a list of checks, as [ParseActors] does.
func ParseChecks(text string) (set map[Check]bool, err error) { return parse(text, "check", Checks) }

func (w *world) problem(check Check, format string, args ...any) {
	w.problems = append(w.problems, Problem{check, fmt.Sprintf(format, args...)})
}

// check checks a world that has come to rest.
func (w *world) check(ctx context.Context) error {
	for i := range w.history.Services {
		runs, err := w.now(ctx, i)
		if err != nil {
			return err
		}
		w.record.mu.Lock()
		w.checkNewest(i, runs)
		w.checkUndone(i)
		w.checkMoves(i)
		w.checkRolledOut(i, runs)
		w.record.mu.Unlock()
	}
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	w.checkHandled()
	w.checkEnds()
	w.checkWords()
	return nil
}

// checkNewest checks that the service runs the newest choice. Events have whole seconds, so that of choices in one
// second each may be the newest.
func (w *world) checkNewest(service int, runs registration) {
	all := w.choices(service)
	all = append([]choice{{image: imageName(service, 0), name: "what ran first"}}, all...)
	allowed, broken := newest(all)
	names := []string{}
	for _, c := range allowed {
		if c.image == runs.image {
			return
		}
		names = append(names, fmt.Sprintf("%s (%s)", c.image, c.name))
	}
	if broken && w.afterFailure(service, all, runs.image) {
		return
	}
	w.problem(checkNewest, "s%d runs %s (%s), want %s", service, runs.image, runs.revision,
		strings.Join(names, " or "))
}

// checkUndone checks that no attempt moves the service to an older choice than one that was to be seen when the attempt
// began.
func (w *world) checkUndone(service int) {
	if w.history.StaleFor > 0 {
		return
	}
	all := w.choices(service)
	for _, m := range w.record.moves {
		if m.service != service || !m.own() {
			continue
		}
		seen, ok := w.visible(service, all, m.start)
		sameSecond := func(c choice) bool {
			return c.broken && c.at.Truncate(time.Second).Equal(seen.at.Truncate(time.Second))
		}
		if !ok || seen.broken || seen.optional || seen.image == m.image || slices.ContainsFunc(all, sameSecond) {
			continue // it may not have been the newest, and what failed after it is not brought back
		}
		older := func(c choice) bool {
			return c.image != m.image || c.at.Truncate(time.Second).Before(seen.at.Truncate(time.Second))
		}
		if !slices.ContainsFunc(all, func(c choice) bool { return !older(c) }) {
			w.problem(checkUndone, "%s moved s%d to %s (%s), though %s (%s) was newer and was there when it began",
				m.attempt.key, service, m.image, m.revision, seen.image, seen.name)
		}
	}
}

// checkMoves checks that the deployer does not move a service over and over.
func (w *world) checkMoves(service int) {
	moves := 0
	for _, m := range w.record.moves {
		if m.service == service && m.own() {
			moves++
		}
	}
	if most := 3*len(w.choices(service)) + 2*w.record.kills + 2; moves > most {
		w.problem(checkMoves, "the deployer moved s%d %d times, for %d choices", service, moves,
			len(w.choices(service)))
	}
}

// checkHandled checks that every event ended.
func (w *world) checkHandled() {
	for _, in := range w.queue {
		why := "?"
		for _, r := range w.record.results {
			if r.eventID == in.eventID && r.err != nil {
				why = r.err.Error()
			}
		}
		w.problem(checkHandled, "%s (%s) still fails: %s", in.key, cmp.Or(in.eventID, "a rollout event"), why)
	}
	for _, r := range w.record.results {
		e := w.record.events[r.eventID]
		if e == nil || r.status != "rejected" && r.status != "ignored" {
			continue
		}
		rollback := e.action.Kind == RollbackEvent || e.action.Kind == RollbackCommand
		// A duplicate may be ignored: while another delivery is under way, and after the rollout failed.
		another := len(e.action.Delays) > 1 || strings.HasPrefix(r.attempt.key, "redrive")
		failedBefore := w.broken(e.action.Service, e.image) && w.failed(e)
		if !rollback && !(r.status == "ignored" && (another || failedBefore)) {
			w.problem(checkHandled, "%s was %s: %s", r.eventID, r.status, r.reason)
		}
	}
}

// failed reports whether a rollout of the event's image has failed.
func (w *world) failed(e *requested) bool {
	return slices.ContainsFunc(w.record.moves, func(m move) bool {
		return m.service == e.action.Service && m.image == e.image && m.failed
	})
}
