// Package retry sends events to the function again later: an event whose image is not in
// ECR yet, and a change of configuration, so that changes shortly after it are handled with
// it. It defines the message, and makes the one-time schedules of EventBridge Scheduler that
// send it.
package retry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kind identifies a message of this package. No event of EventBridge has a member kind.
const Kind = "deployer.waiting-event"

// Schema is the version of the message's form. Members may be added without a new version.
const Schema = 1

// Message is an event that the function gets again, and what it has to know then.
type Message struct {
	Kind     string          `json:"kind"`     // [Kind]
	Schema   int             `json:"schema"`   // [Schema]
	Function string          `json:"function"` // ARN of the function that waits, without a version
	Due      time.Time       `json:"due"`      // when it gets the event again
	Services []string        `json:"services"` // the workloads that wait; the event's others were handled
	Event    json.RawMessage `json:"event"`    // unchanged

	// Key stands for the event in the name of the schedule, if it is not "": of several
	// messages with the same key, services and time, the function gets one.
	Key string `json:"-"`
}

// Parse reads what the function was invoked with. It reports false for anything but a
// message of this package, such as an event. It returns an error for a message whose schema
// is not [Schema], that does not parse or is incomplete, or that is for another function
// than the one with the given ARN.
func Parse(raw []byte, function string) (m Message, ok bool, err error) {
	var head struct {
		Kind   string `json:"kind"`
		Schema int    `json:"schema"`
	}
	if json.Unmarshal(raw, &head) != nil || head.Kind != Kind {
		return Message{}, false, nil
	}
	if head.Schema != Schema {
		return Message{}, true, fmt.Errorf("the message has schema %d, and this version of the deployer reads "+
			"schema %d", head.Schema, Schema)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return Message{}, true, fmt.Errorf("the message is not as schema %d has it: %w", Schema, err)
	}
	switch {
	case m.Function != function:
		err = fmt.Errorf("the message is for another function: its member function is %q, not %q", m.Function, function)
	case !bytes.HasPrefix(bytes.TrimSpace(m.Event), []byte("{")):
		err = errors.New("the message has no event")
	case len(m.Services) == 0 || m.Due.IsZero():
		err = errors.New("the message has no services, or not the time when it was due")
	}
	return m, true, err
}

// EventOf returns the event of a message of this package, and whether raw is one. The event
// is nil if it is missing or not a JSON object.
func EventOf(raw []byte) (event json.RawMessage, ok bool) {
	var m struct {
		Kind  string          `json:"kind"`
		Event json.RawMessage `json:"event"`
	}
	if json.Unmarshal(raw, &m) != nil || m.Kind != Kind {
		return nil, false
	}
	if !bytes.HasPrefix(bytes.TrimSpace(m.Event), []byte("{")) {
		return nil, true
	}
	return m.Event, true
}
