// Package redrive runs the events again that a failure queue has kept. Only
// this package speaks to Amazon SQS.
package redrive

import (
	"encoding/json"
	"errors"
	"fmt"

	"deployer/internal/outcome"
)

// Record is what a message of a failure queue keeps: an event, and why it is there.
type Record struct {
	Event json.RawMessage // as EventBridge sent it
	Why   string          // for people
}

// ErrNotRecord is wrapped by the error of [Parse]: the message keeps no event
// in a form that is known.
var ErrNotRecord = errors.New("the message is neither a rule's dead letter nor a function's on-failure record nor an outcome with an event")

// Parse reads a message of any kind. A rule's dead letter is the event
// itself, and its message attributes say why (see "Using dead-letter queues" in
// the EventBridge user guide); a function's on-failure record has the event in
// requestPayload (see "Capturing records of Lambda asynchronous invocations"); an
// outcome of the deployer, a rejection or a rollout that failed, has it in its detail.
func Parse(body []byte, attributes map[string]string) (Record, error) {
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
		return Record{}, fmt.Errorf("%w: %w", ErrNotRecord, err)
	}
	switch {
	case message.RequestContext != nil && len(message.RequestPayload) > 0:
		r := Record{Event: message.RequestPayload, Why: message.RequestContext.Condition}
		if message.ResponsePayload.ErrorMessage != "" {
			r.Why += ": " + message.ResponsePayload.ErrorType + ": " + message.ResponsePayload.ErrorMessage
		}
		return r, nil
	case message.Source == outcome.Source && message.DetailType != nil:
		if e := message.Detail.Event; len(e) > 0 && e[0] == '{' {
			return Record{Event: e, Why: message.Detail.Message}, nil
		}
	case message.DetailType != nil:
		why := attributes["ERROR_CODE"]
		if text := attributes["ERROR_MESSAGE"]; text != "" {
			why += ": " + text
		}
		return Record{Event: body, Why: why}, nil
	}
	return Record{}, ErrNotRecord
}
