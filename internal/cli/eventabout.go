package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/logs"
)

// retriesTake is longer than Lambda takes to try a failed event again twice.
const retriesTake = 10 * time.Minute

// about prints everything about one event, the oldest first: what the function logged, how
// the rollouts ended, and where the event is now. An event of which nothing is there never
// reached the function.
func (a *app) about(ctx context.Context, s *session, id string, since time.Duration, asJSON bool, c canvas) error {
	waiting := make(chan []queuedMessage, 1)
	go func() { waiting <- a.queued(ctx, s) }()
	begin := time.Now().Add(-since)
	lines, err := s.functionLog().Lines(ctx, begin, id)
	queued := <-waiting
	report := reportOf(s.env, id, lines, queued)
	if report.isEmpty() && err == nil && !wholeID.MatchString(id) {
		var ids []string
		switch ids, err = idsWith(ctx, s, id, begin, queued); {
		case err != nil:
			return err
		case len(ids) > 1:
			return a.severalIDs(id, ids)
		case len(ids) == 1:
			id = ids[0]
			lines, err = s.functionLog().Lines(ctx, begin, id)
			report = reportOf(s.env, id, lines, queued)
		}
	}
	switch {
	case err != nil && (len(report.Queued) == 0 || !fault.HasCode(err, "ResourceNotFoundException")):
		return err // a function that never ran has no log
	case !report.isEmpty():
	case !eventID.MatchString(id):
		return a.noWorkload(s.env, id) // a service whose name is mistyped
	case wholeID.MatchString(id):
		a.note("if a redrive ran the event, the history has it: %s", s.env.Command("history", "SERVICE"))
		return neverArrived(ctx, s, id, deployRule, pushRule)
	default:
		return noEventWith(s, id, since)
	}
	report.Revisions = a.eventRevisions(ctx, s, id, report)
	if asJSON {
		return printJSON(a.out, report)
	}
	printAbout(a.out, c, s.env, report)
	return nil
}

// reportOf returns what lines and messages have of the event with an id.
func reportOf(env *environment.Environment, id string, lines []logs.Line, queued []queuedMessage) eventReport {
	report := eventReport{Environment: env.Name, Events: []logs.Entry{}, Queued: []queuedMessage{}}
	for _, l := range lines {
		if e, ok := logs.Parse(l); ok && (e.EventID == id || e.EventID == "") {
			report.Events = append(report.Events, e)
		}
	}
	for _, m := range queued {
		if m.EventID == id {
			report.Queued = append(report.Queued, m)
		}
	}
	return report
}

// isEmpty reports whether nothing is there of an event.
func (r eventReport) isEmpty() bool { return len(r.Events)+len(r.Queued) == 0 }

// printAbout prints everything about an event for people.
func printAbout(w io.Writer, c canvas, env *environment.Environment, report eventReport) {
	attempts, reasons := map[string]int{}, shownReasons{} // attempts that failed, by service
	for _, e := range report.Events {
		if reasons.repeats(e) {
			continue
		}
		if e.Decision() == "failed" {
			attempts[e.Service]++
			e.Message += fmt.Sprintf(" (attempt %d)", attempts[e.Service])
		}
		printEntry(w, c, e)
	}
	for _, r := range report.Revisions {
		text := fmt.Sprintf("revision %d of %s: %s", r.Revision, printable(r.Service), r.end(c, env))
		fmt.Fprint(w, c.item("", text, 2))
	}
	for _, m := range report.Queued {
		where := m.about()
		if slices.ContainsFunc(reasons[m.EventID], func(why string) bool { return says(m.Why, why) }) {
			m.Why = ""
			where = m.about()
		}
		text := fmt.Sprintf("in the %s; to run it again: %s", printableAtMost(where, maxShown),
			env.Command("redrive", "--queue", m.Queue))
		fmt.Fprint(w, c.item(c.moment(m.SentAt)+"  ", text, 4))
	}
	if len(report.Events) == 0 {
		fmt.Fprintf(w, "the function's log has nothing of the event: it never reached the function\n")
		return
	}
	last := report.Events[len(report.Events)-1]
	handled := len(report.Queued)+len(report.Revisions) > 0
	if last.Decision() == "failed" && !handled && c.now.Sub(last.At) < retriesTake {
		fmt.Fprint(w, c.item("",
			"Lambda tries a failed event again after about one and three minutes, then it is in the queue", 2))
	}
}
