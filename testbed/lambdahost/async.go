package lambdahost

import (
	"encoding/json"
	"time"
)

// A Record is the document that Lambda sends to an on-failure destination.
type Record struct {
	// Version is the version of the format, "1.0".
	Version string `json:"version"`
	// Timestamp is when the event was given up, in UTC with milliseconds.
	Timestamp      string         `json:"timestamp"`
	RequestContext RequestContext `json:"requestContext"`
	// RequestPayload is the event.
	RequestPayload json.RawMessage `json:"requestPayload"`
	// ResponseContext and ResponsePayload are those of the last attempt; they
	// are absent when there was none.
	ResponseContext *ResponseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

// A RequestContext says which invocation a [Record] is about, and why it was
// given up.
type RequestContext struct {
	RequestID string `json:"requestId"`
	// FunctionARN is qualified, with $LATEST.
	FunctionARN string `json:"functionArn"`
	// Condition is "RetriesExhausted" or "EventAgeExceeded".
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

// A ResponseContext says how the last attempt in a [Record] went. StatusCode
// is that of the Invoke API: 200, also for a function that failed.
type ResponseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError"`
}

// InvokeAsync queues an event, as the Invoke API does with the invocation type
// Event, and returns the id that every attempt will have. An attempt that
// fails is repeated as Options.RetryWaits say; then Options.OnFailure gets the
// record. The error is [ErrClosed], or that of an event that Lambda would
// refuse: not JSON, or more than 1 MB.
func (h *Host) InvokeAsync(payload []byte) (requestID string, err error) {
	if err := checkEvent(payload, "Event", maxAsync); err != nil {
		return "", err
	}
	if err := h.begin(); err != nil {
		return "", err
	}
	e := &asyncEvent{host: h, id: newUUID(), payload: payload, queued: time.Now()}
	granted := h.slots.reserve() // here, so that events keep their order
	go func() {
		defer h.end()
		e.deliver(granted)
	}()
	return e.id, nil
}

// An asyncEvent is an event in the asynchronous queue.
type asyncEvent struct {
	host     *Host
	id       string
	payload  []byte
	queued   time.Time
	attempts int
}

// deliver attempts the event until it is processed or given up.
func (e *asyncEvent) deliver(granted chan struct{}) {
	h := e.host
	for {
		select {
		case <-granted:
		case <-h.ctx.Done():
			h.slots.abandon(granted)
			return
		}
		if e.tooOld(0) {
			h.slots.release()
			e.giveUp("EventAgeExceeded", nil)
			return
		}
		response, err := h.attempt(e.id, e.payload)
		h.slots.release()
		if err != nil || response.FunctionError == "" {
			return
		}
		e.attempts++
		if e.attempts > len(h.opts.RetryWaits) {
			e.giveUp("RetriesExhausted", &response)
			return
		}
		wait := h.opts.RetryWaits[e.attempts-1]
		if e.tooOld(wait) {
			e.giveUp("EventAgeExceeded", &response)
			return
		}
		select {
		case <-time.After(wait):
		case <-h.ctx.Done():
			return
		}
		granted = h.slots.reserve()
	}
}

// tooOld reports whether the event will be past its age after a wait. Lambda
// looks ahead in the same way and does not wait for a retry in vain.
func (e *asyncEvent) tooOld(wait time.Duration) bool {
	return time.Since(e.queued)+wait > e.host.opts.MaxEventAge
}

// giveUp hands over the record of the event. The response is that of the last
// attempt, or nil.
func (e *asyncEvent) giveUp(condition string, response *Response) {
	h := e.host
	record := Record{
		Version:   "1.0",
		Timestamp: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: RequestContext{
			RequestID:              e.id,
			FunctionARN:            h.opts.FunctionARN + ":" + version,
			Condition:              condition,
			ApproximateInvokeCount: e.attempts,
		},
		RequestPayload: e.payload,
	}
	if response != nil {
		record.ResponseContext = &ResponseContext{StatusCode: 200, ExecutedVersion: version,
			FunctionError: response.FunctionError}
		record.ResponsePayload = response.Payload
	}
	h.recording.Lock()
	defer h.recording.Unlock()
	h.opts.OnFailure(record)
}
