package redrive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"deployer/internal/kept"
	"deployer/internal/outcome"
	"deployer/internal/retry"
)

// Form is the form of a message: who sent it, and what for.
type Form string

// The forms.
const (
	DeadLetter  Form = "dead letter"        // of a rule: EventBridge could not deliver the event
	Record      Form = "on-failure record"  // Lambda's: the function failed on the event for good
	Kept        Form = "kept event"         // the function rejected it, or its rollout failed
	Waited      Form = "event that waited"  // a schedule could not deliver it to the function again
	FromTheBus  Form = "outcome on the bus" // as rules of earlier stacks put it into the queue: anyone could send it
	unknownForm Form = "unknown form"
)

// Message is the event that a message of a queue holds, with what the message says of
// where it comes from. All of it is the sender's text.
type Message struct {
	Form    Form
	Event   json.RawMessage // the original event
	Why     string          // why it is in the queue; "" if that is not known
	Target  string          // ARN of what the event was for: a function, or a bus
	RuleARN string          // of a dead letter
}

// ErrNoEvent is wrapped by the error of [Parse] for a message of a form that is
// not known.
var ErrNoEvent = errors.New("the message is neither a rule's dead letter nor " +
	"a function's on-failure record nor a kept event")

// The message attributes of a rule's dead letter: see "Using dead-letter queues to
// process undelivered events" in the EventBridge user guide.
const (
	attributeRule    = "RULE_ARN"
	attributeTarget  = "TARGET_ARN"
	attributeCode    = "ERROR_CODE"
	attributeMessage = "ERROR_MESSAGE"
)

// Parse reads the body and the attributes of a message. There are five forms:
//   - a kept event, which the function itself sends: see package kept;
//   - an event that waited for its image, which no schedule could deliver: see package
//     retry. The on-failure record of a function may have one too;
//   - the on-failure record of a function has the event in requestPayload (see
//     "Capturing records of Lambda asynchronous invocations");
//   - the dead letter of a rule is the event itself, and its attributes say why;
//   - an outcome, which has the event in its detail, came over the bus.
func Parse(body []byte, attributes map[string]string) (Message, error) {
	if m, ok, err := kept.Parse(body); ok {
		raw, why := m.Event()
		switch {
		case err == nil && raw == nil:
			err = &neverError{errors.New("it has no event that can be run again: " + why)}
		case err != nil && !errors.Is(err, kept.ErrSchema):
			err = &neverError{err}
		}
		return Message{Form: Kept, Event: raw, Why: why, Target: m.Function}, err
	}
	if raw, ok := retry.EventOf(body); ok {
		m := Message{Form: Waited, Event: raw, Why: why(attributes), Target: attributes[attributeTarget]}
		if raw == nil {
			return m, &neverError{errors.New("it has no event that can be run again")}
		}
		return m, nil
	}
	var message struct {
		RequestContext *struct {
			FunctionARN string `json:"functionArn"`
			Condition   string `json:"condition"`
		} `json:"requestContext"`
		RequestPayload  json.RawMessage `json:"requestPayload"`
		ResponsePayload struct {
			ErrorType    string `json:"errorType"`
			ErrorMessage string `json:"errorMessage"`
		} `json:"responsePayload"`
		DetailType *string         `json:"detail-type"`
		Source     string          `json:"source"`
		Detail     json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return Message{Form: unknownForm}, &neverError{fmt.Errorf("%w: %w", ErrNoEvent, err)}
	}
	switch {
	case message.RequestContext != nil && len(message.RequestPayload) > 0:
		because := message.RequestContext.Condition
		if message.ResponsePayload.ErrorMessage != "" {
			because += ": " + message.ResponsePayload.ErrorType + ": " + message.ResponsePayload.ErrorMessage
		}
		raw := message.RequestPayload
		if event, waited := retry.EventOf(raw); waited && event != nil {
			raw = event
		}
		return Message{Form: Record, Event: raw, Why: because, Target: message.RequestContext.FunctionARN}, nil
	case message.Source == outcome.Source && message.DetailType != nil:
		var detail struct {
			Event   json.RawMessage `json:"event"`
			Message string          `json:"message"`
		}
		if json.Unmarshal(message.Detail, &detail) == nil && bytes.HasPrefix(detail.Event, []byte("{")) {
			return Message{Form: FromTheBus, Event: detail.Event, Why: detail.Message}, nil
		}
	case message.DetailType != nil:
		return Message{Form: DeadLetter, Event: body, Why: why(attributes), Target: attributes[attributeTarget],
			RuleARN: attributes[attributeRule]}, nil
	}
	return Message{Form: unknownForm}, &neverError{ErrNoEvent}
}

// why returns why a message could not be delivered, from its attributes.
func why(attributes map[string]string) string {
	if attributes[attributeMessage] == "" {
		return attributes[attributeCode]
	}
	return attributes[attributeCode] + ": " + attributes[attributeMessage]
}
