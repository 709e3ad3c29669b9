package redrive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"deployer/internal/outcome"
)

// Message is the event that a message of a failure queue holds.
type Message struct {
	Event json.RawMessage // the original event
	Why   string          // why it is in the queue; "" if that is not known
}

// ErrNoEvent is wrapped by the error of [Parse] for a message of a form that is
// not known.
var ErrNoEvent = errors.New("the message is neither a rule's dead letter nor " +
	"a function's on-failure record nor an outcome with an event")

// Parse reads the body and the attributes of a message. There are three forms:
//   - the dead letter of a rule is the event itself, and its attributes say why
//     (see "Using dead-letter queues" in the EventBridge user guide);
//   - the on-failure record of a function has the event in requestPayload (see
//     "Capturing records of Lambda asynchronous invocations");
//   - an outcome, which is a rejection or a failed rollout, has it in its detail.
func Parse(body []byte, attributes map[string]string) (Message, error) {
	var message struct {
		RequestContext *struct {
			Condition              string `json:"condition"`
			ApproximateInvokeCount int    `json:"approximateInvokeCount"`
		} `json:"requestContext"`
		RequestPayload  json.RawMessage `json:"requestPayload"`
		ResponsePayload struct {
			ErrorType    string `json:"errorType"`
			ErrorMessage string `json:"errorMessage"`
		} `json:"responsePayload"`
		DetailType *string `json:"detail-type"`
		Source     string  `json:"source"`
		Detail     struct {
			Event   json.RawMessage `json:"event"`
			Message string          `json:"message"`
		} `json:"detail"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrNoEvent, err)
	}
	switch {
	case message.RequestContext != nil && len(message.RequestPayload) > 0:
		why := message.RequestContext.Condition
		if message.ResponsePayload.ErrorMessage != "" {
			why += ": " + message.ResponsePayload.ErrorType + ": " + message.ResponsePayload.ErrorMessage
		}
		return Message{Event: message.RequestPayload, Why: why}, nil
	case message.Source == outcome.Source && message.DetailType != nil:
		if bytes.HasPrefix(message.Detail.Event, []byte("{")) {
			return Message{Event: message.Detail.Event, Why: message.Detail.Message}, nil
		}
	case message.DetailType != nil:
		why := attributes["ERROR_CODE"]
		if attributes["ERROR_MESSAGE"] != "" {
			why += ": " + attributes["ERROR_MESSAGE"]
		}
		return Message{Event: body, Why: why}, nil
	}
	return Message{}, ErrNoEvent
}
