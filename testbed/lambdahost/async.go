package lambdahost

import (
	"encoding/json"
	"time"
)

// A Record is the document that Lambda sends to an on-failure destination (Lambda developer guide, "Capturing records
// of Lambda asynchronous invocations").
type Record struct {
	// Version is the version of the format, "1.0".
	Version string `json:"version"`
	// Timestamp is when the event failed for good, in UTC with milliseconds.
	Timestamp      string         `json:"timestamp"`
	RequestContext RequestContext `json:"requestContext"`
	// RequestPayload is the event.
	RequestPayload json.RawMessage `json:"requestPayload"`
	// ResponseContext and ResponsePayload are those of the last attempt. They are absent if there was none.
	ResponseContext *ResponseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

// A RequestContext is the invocation of a [Record] and the condition that ended it.
type RequestContext struct {
	RequestID string `json:"requestId"`
	// FunctionARN is the ARN qualified with $LATEST.
	FunctionARN string `json:"functionArn"`
	// Condition is "RetriesExhausted" or "EventAgeExceeded".
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

// A ResponseContext is the result of the last attempt of a [Record]. StatusCode is the Invoke API's, which is 200 for a
// function that failed, too.
type ResponseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError"`
}

// InvokeAsync queues an event, as the Invoke API does with the invocation type Event. It returns the request id, which
// all attempts have. A failed attempt is retried after Options.RetryWaits; after the last, Options.OnFailure is called.
// It returns [ErrClosed], or an error for an event that is not JSON or larger than 1 MB.
func (h *Host) InvokeAsync(payload []byte) (requestID string, err error) {
	if err := checkEvent(payload, "Event", maxAsync); err != nil {
		return "", err
	}
	if err := h.begin(); err != nil {
		return "", err
	}
	e := &asyncEvent{host: h, id: newUUID(), payload: payload, queued: time.Now()}
	granted := h.slots.reserve() // not in the goroutine, so that events keep their order
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

// deliver invokes the function until the event is processed or has failed for good.
func (e *asyncEvent) deliver(granted chan struct{}) {
	h := e.host
	for {
		select {
		case <-granted:
		case <-h.closing:
			h.slots.abandon(granted)
			return
		}
		if e.tooOld(0) {
			h.slots.release()
			e.fail("EventAgeExceeded", nil)
			return
		}
		response, err := h.attempt(e.id, e.payload)
		h.slots.release()
		if err != nil || response.FunctionError == "" {
			return
		}
		e.attempts++
		if e.attempts > len(h.opts.RetryWaits) {
			e.fail("RetriesExhausted", &response)
			return
		}
		wait := h.opts.RetryWaits[e.attempts-1]
		if e.tooOld(wait) {
			e.fail("EventAgeExceeded", &response)
			return
		}
		select {
		case <-time.After(wait):
		case <-h.closing:
			return
		}
		granted = h.slots.reserve()
	}
}

// tooOld reports whether the event will be older than Options.MaxEventAge after a wait. Like Lambda, the host does not
// wait for a retry that would come too late.
func (e *asyncEvent) tooOld(wait time.Duration) bool {
	return time.Since(e.queued)+wait > e.host.opts.MaxEventAge
}

// fail calls Options.OnFailure. response is that of the last attempt, nil if there was none.
func (e *asyncEvent) fail(condition string, response *Response) {
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
