package cli

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/logs"
)

// The function logs a decision, publishes it as an outcome, and keeps the event in a queue: each
// has the reason. For people it is printed once.

// maxCompared is how many characters of a reason are looked for in another text: long ones are cut.
const maxCompared = 100

// says reports whether a text has a reason in it.
func says(text, reason string) bool {
	return reason != "" && strings.Contains(text, reason[:min(len(reason), maxCompared)])
}

// shownReasons are the reasons of the decisions that were printed, by event.
type shownReasons map[string][]string

// repeats reports whether a line of the function's log only repeats the reason of a decision about
// the same event, which stands before it.
func (t shownReasons) repeats(e logs.Entry) bool {
	if e.Decision() != "" {
		t[e.EventID] = append(t[e.EventID], e.Why())
		return false
	}
	return e.Outcome != "" && slices.ContainsFunc(t[e.EventID], func(why string) bool { return says(e.Why(), why) })
}

// eventDecision is a decision for the table of events: one of several that are alike, with the
// message that keeps its event.
type eventDecision struct {
	logs.Entry     // the newest
	times      int // how often it was decided
	queued     *queuedMessage
	quiet      bool // another decision says why the message was kept
}

// decisionsOf joins decisions, the newest first, with what repeats them: the attempts of an event
// that failed for the same reason, and the message by which the function keeps the event. It
// returns the messages that remain.
func decisionsOf(entries []logs.Entry, queued []queuedMessage) (all []eventDecision, rest []queuedMessage) {
	for _, e := range entries {
		same := slices.IndexFunc(all, func(d eventDecision) bool {
			return e.EventID != "" && d.EventID == e.EventID && d.Service == e.Service && d.Why() == e.Why() &&
				d.Decision() == "failed" && e.Decision() == "failed"
		})
		if same >= 0 {
			all[same].times++
			continue
		}
		all = append(all, eventDecision{Entry: e, times: 1})
	}
	for _, m := range queued {
		of := keptBy(m, all)
		if len(of) == 0 {
			rest = append(rest, m)
		}
		for i, at := range of {
			all[at].queued, all[at].quiet = &m, i > 0
		}
	}
	return all, rest
}

// keptBy returns the indexes of the decisions whose event a message keeps: of an event of
// several services those about the services that the message names, else the first one.
func keptBy(m queuedMessage, all []eventDecision) (of []int) {
	if m.Queue != "failed" || m.EventID == "" {
		return nil
	}
	first, names := -1, strings.Split(m.Service, ", ")
	for i, d := range all {
		if d.EventID != m.EventID || d.queued != nil || d.Decision() != "rejected" && d.Decision() != "failed" {
			continue
		}
		if first < 0 {
			first = i
		}
		if slices.Contains(names, d.Service) {
			of = append(of, i)
		}
	}
	if len(of) == 0 && first >= 0 {
		of = []int{first}
	}
	return of
}

// cell returns the status of a decision.
func (d eventDecision) cell() cell {
	c := decisionCell(d.Decision())
	if d.times > 1 {
		c.text += fmt.Sprintf(" %d times", d.times)
	}
	if d.queued != nil {
		c.text += ", in queue"
	}
	return c
}

// why returns the reason of a decision, and that of the message if it is another one.
func (d eventDecision) why() string {
	why := whyOf(d.Entry)
	if d.queued != nil && !d.quiet && !says(d.queued.Why, d.Why()) {
		why += "; " + d.queued.about()
	}
	return why
}
