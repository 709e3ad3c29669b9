package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// envelope is what EventBridge puts around every event's detail. See "AWS
// service event metadata" in the EventBridge events reference.
type envelope struct {
	ID, Source, DetailType, Account, Region string
	Detail, Resources                       json.RawMessage // nil if absent
	at                                      time.Time       // zero if absent or not a time
}

// faults collects what is wrong with an event, so that its sender is told once.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f faults) String() string { return strings.Join(f, "; ") }

// parseEnvelope reads the envelope. It returns nil if there is none to speak
// of; faults of single fields are left to those who need the fields.
func parseEnvelope(raw []byte) (*envelope, faults) {
	var wrong faults
	fields, err := object(raw)
	if err != nil {
		wrong.add("the event %s", err)
		return nil, wrong
	}
	if len(fields) == 0 {
		wrong.add("the event is empty")
		return nil, wrong
	}
	e := &envelope{Detail: fields["detail"], Resources: fields["resources"]}
	var at string
	for _, f := range []struct {
		name string
		to   *string
	}{{"id", &e.ID}, {"source", &e.Source}, {"detail-type", &e.DetailType}, {"account", &e.Account}, {"region", &e.Region}, {"time", &at}} {
		if v, ok := fields[f.name]; ok {
			if *f.to, ok = text(v); !ok {
				wrong.add("%q is %s, not a string", f.name, kind(v))
			}
		}
	}
	if fields["id"] == nil || string(fields["id"]) == `""` {
		wrong.add(`"id" is missing`)
	}
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		e.at = t.UTC()
	} else if fields["time"] == nil {
		wrong.add(`"time" is missing`)
	} else if _, ok := text(fields["time"]); ok {
		wrong.add(`"time" is %s, not a time like "2026-01-22T10:15:30Z"`, quote(at))
	}
	return e, wrong
}

// ahead notes an event from the future: its time would outrank every later event's.
func (e *envelope) ahead(wrong *faults, now time.Time) {
	if by := e.at.Sub(now); by > maxAhead {
		wrong.add(`"time" is %s, %s ahead of now: more than %s would outrank every later event (is the sender's clock right?)`,
			e.at.Format(time.RFC3339), by.Round(time.Second), maxAhead)
	}
}

// object reads a JSON object into its raw members. Unlike a struct, it keeps
// "Tag" apart from "tag", and refuses a member that stands twice.
func object(raw []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	switch first, err := d.Token(); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("is empty")
	case err != nil:
		return nil, notJSON(err)
	case first != json.Delim('{'):
		return nil, fmt.Errorf("is %s, not a JSON object", kind(raw))
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name := key.(string) // the decoder lets nothing else stand for a key
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, notJSON(err)
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("has %s twice", quote(name))
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("is not JSON: something follows the object")
	}
	return fields, nil
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("is not JSON: it ends before its object does")
	}
	return fmt.Errorf("is not JSON: %w", err)
}

// text returns the string that a JSON value is, if it is one.
func text(v json.RawMessage) (string, bool) {
	var s *string
	if json.Unmarshal(v, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// kind says what a JSON value is, for messages.
func kind(v json.RawMessage) string {
	v = bytes.TrimSpace(v)
	switch {
	case len(v) == 0:
		return "nothing"
	case v[0] == '"':
		return "a string"
	case v[0] == '{':
		return "an object"
	case v[0] == '[':
		return "an array"
	case v[0] == 'n':
		return "null"
	case v[0] == 't', v[0] == 'f':
		return "a boolean"
	}
	return "a number"
}

// quote quotes a value from an event for a message, cut to a length that fits one.
func quote(s string) string {
	const most = 160
	if len(s) > most {
		return strconv.Quote(s[:most]) + fmt.Sprintf(" and %d bytes more", len(s)-most)
	}
	return strconv.Quote(s)
}
