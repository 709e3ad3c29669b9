// Package kept defines the messages with which the function keeps events in its failure
// queue, and sends them. It keeps an event that was rejected or whose rollout failed, until
// a person runs it again or discards it.
package kept

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"deployer/internal/outcome"
)

// Kind identifies a message of this package.
const Kind = "deployer.kept-event"

// Schema is the version of the message's form. Members may be added without a new version.
const Schema = 1

// Message is a kept event in the failure queue. Its form is a contract: see "What the
// queues hold" in docs/how-to/rollback-and-redrive.md.
type Message struct {
	Kind     string          `json:"kind"`     // [Kind]
	Schema   int             `json:"schema"`   // [Schema]
	Function string          `json:"function"` // ARN of the function that keeps the event, without a version
	Time     time.Time       `json:"time"`     // when it was kept
	Outcome  outcome.Kind    `json:"outcome"`  // why: the kind of the event's outcome
	Detail   json.RawMessage `json:"detail"`   // the detail of the outcome's event, with the kept event
}

// Event returns the event that the message keeps, and the outcome's sentence about it.
// The event is nil if it is missing or not a JSON object.
func (m Message) Event() (event json.RawMessage, why string) {
	var detail struct {
		Event   json.RawMessage `json:"event"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(m.Detail, &detail) != nil || !bytes.HasPrefix(bytes.TrimSpace(detail.Event), []byte("{")) {
		return nil, detail.Message
	}
	return detail.Event, detail.Message
}

// ErrSchema is wrapped by the error of [Parse] for a message whose schema is not [Schema].
var ErrSchema = fmt.Errorf("this version of the deployer reads schema %d", Schema)

// Parse reads the body of a message. It reports false if the body is not a message of this
// package, and returns an error if it is one whose schema is not [Schema], or one with a
// member that does not parse.
func Parse(body []byte) (m Message, ok bool, err error) {
	var head struct {
		Kind   string `json:"kind"`
		Schema int    `json:"schema"`
	}
	if json.Unmarshal(body, &head) != nil || head.Kind != Kind {
		return Message{}, false, nil
	}
	if head.Schema != Schema {
		return Message{}, true, fmt.Errorf("the message has schema %d, and %w", head.Schema, ErrSchema)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return Message{}, true, fmt.Errorf("the message is not as schema %d has it: %w", Schema, err)
	}
	return m, true, nil
}

// encode returns the body of a message. SQS refuses the noncharacters U+FFFE and
// U+FFFF and what is not UTF-8, which an event may have in a text.
func (m Message) encode() (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return "", err
	}
	text := strings.ToValidUTF8(strings.TrimSuffix(b.String(), "\n"), "\uFFFD")
	return strings.NewReplacer("\uFFFE", `\uFFFE`, "\uFFFF", `\uFFFF`).Replace(text), nil
}
