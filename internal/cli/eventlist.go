package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"deployer/internal/logs"
	"deployer/internal/redrive"
)

// decisionsReport is what events prints with --json.
type decisionsReport struct {
	Environment string          `json:"environment"`
	Events      []listedEvent   `json:"events"` // newest first
	Queued      []queuedMessage `json:"queued"` // messages in the queues, newest first
}

// eventReport is what events prints of one event with --json.
type eventReport struct {
	Environment string          `json:"environment"`
	Events      []logs.Entry    `json:"events"`              // every line, oldest first
	Queued      []queuedMessage `json:"queued"`              // the messages that keep it, newest first
	Revisions   []eventRevision `json:"revisions,omitempty"` // what was registered for it
}

// eventRow is a decision or a message, in the order of time.
type eventRow struct {
	at    time.Time
	cells []cell
}

// decisions prints what was decided and what waits in the queues, the newest first.
func (a *app) decisions(ctx context.Context, s *session, service string, since time.Duration, asJSON bool,
	c canvas) error {
	waiting := make(chan []queuedMessage, 1)
	go func() { waiting <- a.queued(ctx, s) }()
	begin := time.Now().Add(-since)
	lines, err := s.functionLog().Lines(ctx, begin, "event_id")
	all := <-waiting
	if err != nil {
		return err
	}
	entries, queued, older := []logs.Entry{}, []queuedMessage{}, 0
	parsed := newestEntries(lines)
	ends := endsOf(parsed)
	for _, e := range parsed {
		if e.Decision() != "" && (service == "" || concerns(s.env, e, service)) {
			entries = append(entries, e)
		}
	}
	for _, m := range all {
		switch {
		case service != "" && !concerns(s.env, logs.Entry{Service: m.Service}, service):
		case m.SentAt.Before(begin):
			older++
		default:
			queued = append(queued, m)
		}
	}
	if asJSON {
		return printJSON(a.out, decisionsReport{Environment: s.env.Name, Events: ends.listed(entries), Queued: queued})
	}
	if len(entries)+len(queued) == 0 {
		a.note("no event was decided on in %s; look further back with --since", shortDuration(since))
		a.noteMissing(s.env, service)
	} else {
		if _, err := fmt.Fprint(a.out, drawEvents(c, entries, queued, ends)); err != nil {
			return err
		}
	}
	if n := len(queued) + older; n > 0 {
		text := count(n, "message") + " in the queues"
		if older > 0 {
			text += fmt.Sprintf(", of which %d are older than %s", older, shortDuration(since))
		}
		a.note("%s: %s", text, s.env.Command("redrive", "--dry-run"))
	}
	a.noteCut(c)
	return nil
}

// newestEntries returns the lines that the function wrote itself, the newest first.
func newestEntries(lines []logs.Line) (all []logs.Entry) {
	for _, l := range slices.Backward(lines) {
		if e, ok := logs.Parse(l); ok {
			all = append(all, e)
		}
	}
	return all
}

// drawEvents returns decisions and messages as one table, newest first. Where they are too
// wide, ids are shortened, and then other cells are cut.
func drawEvents(c canvas, entries []logs.Entry, queued []queuedMessage, ends rolloutEnds) string {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.EventID)
	}
	for _, m := range queued {
		ids = append(ids, m.EventID)
	}
	t := eventTable(c, entries, queued, ends, nil)
	short := shortIDs(ids)
	if c.columns > 0 && t.least(widths(t.rows, true)) > c.columns {
		t = eventTable(c, entries, queued, ends, short)
		c.cuts.cell(slices.ContainsFunc(ids, func(id string) bool { return short[id] != id }))
	}
	return t.draw(c)
}

// rolloutColumn is the index of the column ROLLOUT, which the table has if an event was deployed.
const rolloutColumn = 5

// eventTable returns the table of decisions and messages, with short ids in place of those
// that have one.
func eventTable(c canvas, entries []logs.Entry, queued []queuedMessage, ends rolloutEnds,
	short map[string]string) *table {
	var rows []eventRow
	decisions, rest := decisionsOf(entries, queued)
	for _, d := range decisions {
		rows = append(rows, eventRow{d.At, []cell{{text: c.moment(d.At)}, {text: cmp.Or(short[d.EventID], d.EventID)},
			{text: d.Service}, {text: d.Tag}, d.cell(), ends.cell(d.Entry), {text: d.why()}}})
	}
	for _, m := range rest {
		rows = append(rows, eventRow{m.SentAt, []cell{{text: c.moment(m.SentAt)},
			{text: cmp.Or(short[m.EventID], m.EventID)}, {text: m.Service}, {text: m.Tag}, {"in queue", amber}, {},
			{text: m.about()}}})
	}
	slices.SortStableFunc(rows, func(x, y eventRow) int { return y.at.Compare(x.at) })
	t := &table{whole: []string{"EVENT", "STATUS", "ROLLOUT"}, free: true,
		below: &below{least: 30, leave: []string{"TAG", "WHEN"}}}
	isRollout := func(r eventRow) bool { return r.cells[rolloutColumn].text != "" }
	someRollout := slices.ContainsFunc(rows, isRollout)
	t.head("WHEN", "EVENT", "SERVICE", "TAG", "STATUS", "ROLLOUT", "REASON")
	for _, r := range rows {
		t.add(r.cells...)
	}
	if !someRollout {
		t.rows = without(t.rows, rolloutColumn)
	}
	return t
}

func decisionCell(decision string) cell {
	switch decision {
	case "rejected", "failed":
		return cell{decision, red}
	case "deployed":
		return cell{decision, green}
	}
	return cell{text: decision}
}

// queuedMessage is a message of one of the environment's queues.
type queuedMessage struct {
	Queue string `json:"queue"` // "failed" or "undelivered", as redrive names it
	redrive.Item
}

// about returns where the message is, and why.
func (m queuedMessage) about() string {
	text := m.Queue + " queue, " + string(m.Form)
	if m.Why != "" {
		text += ": " + m.Why
	}
	return text
}

// queued returns the messages of the environment's queues, newest first. What could not be
// read is noted: the log says most.
func (a *app) queued(ctx context.Context, s *session) (all []queuedMessage) {
	urls := map[string]string{"failed": s.env.FailedQueueURL(), "undelivered": s.env.UndeliveredQueueURL()}
	type answer struct {
		items []redrive.Item
		more  bool
		err   error
	}
	names := []string{"failed", "undelivered"}
	answers := make([]answer, len(names))
	_ = a.atOnce(len(names), func(_ *app, i int) error {
		answers[i].items, answers[i].more, answers[i].err = redrive.Look(ctx, s.config, s.env, urls[names[i]])
		return nil
	})
	for i, one := range answers {
		switch {
		case one.err != nil:
			a.note("the %s queue is not shown: %v", names[i], one.err)
		case one.more:
			a.note("the %s queue has more messages than are shown", names[i])
		}
		for _, item := range one.items {
			all = append(all, queuedMessage{names[i], item})
		}
	}
	slices.SortStableFunc(all, func(x, y queuedMessage) int { return y.SentAt.Compare(x.SentAt) })
	return all
}
