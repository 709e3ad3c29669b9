package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// envelope holds the members that EventBridge gives every event. See "AWS service
// event metadata" in the EventBridge events reference.
type envelope struct {
	ID, Source, DetailType, Account, Region string
	Detail, Resources                       json.RawMessage // nil if absent
	Time                                    time.Time       // in UTC; zero if absent or not a time
	hasTime                                 bool            // there is a time, which may be that of the zero Time
}

// problems collects everything that is wrong with an event, so that its sender
// can correct it at once.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

func (p problems) String() string { return strings.Join(p, "; ") }

// parseEnvelope reads the envelope, and returns nil if the event is not a JSON
// object with members. Whether a problem with a single member matters is left
// to the caller.
func parseEnvelope(raw []byte) (*envelope, problems) {
	var wrong problems
	members, err := object(raw)
	if err != nil {
		problem := "the event %s"
		if kind(raw) == "an array" && json.Valid(raw) {
			problem += `: each event comes by itself, and an entry of PutEvents is no event yet`
		}
		wrong.add(problem, err)
		return nil, wrong
	}
	if len(members) == 0 {
		wrong.add("the event is empty")
		return nil, wrong
	}
	e := &envelope{Detail: members["detail"], Resources: members["resources"]}
	var at string
	for _, f := range []struct {
		name string
		to   *string
	}{
		{"id", &e.ID}, {"source", &e.Source}, {"detail-type", &e.DetailType},
		{"account", &e.Account}, {"region", &e.Region}, {"time", &at},
	} {
		if v, ok := members[f.name]; ok {
			if *f.to, ok = text(v); !ok {
				wrong.add("%q is %s, not a string", f.name, kind(v))
			}
		}
	}
	if members["id"] == nil || string(members["id"]) == `""` {
		wrong.add(`"id" is missing`)
	}
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		e.Time, e.hasTime = t.UTC(), true
	} else if members["time"] == nil {
		wrong.add(`"time" is missing`)
	} else if _, ok := text(members["time"]); ok {
		wrong.add(`"time" is %s, not a time like "2026-01-22T10:15:30Z"`, quote(at))
	}
	return e, wrong
}

// checkTime adds a problem if the event's time cannot be the time of an event, or
// is more than ahead in the future: the event would count as newer than every later
// one. A missing time is no problem of its own.
func (r reader) checkTime(ahead time.Duration, wrong *problems) {
	t := r.event.Time
	if t.IsZero() && !r.event.hasTime {
		return
	}
	if t.Before(earliest) {
		wrong.add(`"time" is %s, before %d: no event is that old, and events are ordered by time (check the sender's `+
			`clock)`, t.Format(time.RFC3339), earliest.Year())
	}
	if t.After(r.now.Add(ahead)) {
		by := t.Sub(r.now).Round(time.Second).String()
		if days := (t.Unix() - r.now.Unix()) / (24 * 60 * 60); days > 1 { // a Duration has at most 292 years
			by = fmt.Sprintf("%d days", days)
		}
		wrong.add(`"time" is %s, %s ahead of now; at most %s is accepted, because events are ordered by time (check `+
			`the sender's clock)`, t.Format(time.RFC3339), by, ahead)
	}
}

// claimedTime returns the event's time for reports about an event that is not
// accepted: zero if it cannot be the time of an event.
func (r reader) claimedTime() time.Time {
	var wrong problems
	if r.checkTime(maxAheadOfAWS, &wrong); len(wrong) > 0 {
		return time.Time{}
	}
	return r.event.Time
}
