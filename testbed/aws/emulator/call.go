package emulator

import (
	"encoding/json"
	"slices"
	"time"
)

// A Call is the record of one call that a client made.
type Call struct {
	Start, End time.Time // on the wall clock
	Account    string    // the caller's
	Region     string
	Role       string // empty for the account's administrator
	Service    string // the signing name, such as ecs or events; s3 for the download of a layer
	Operation  string // such as "UpdateService"

	// Resources are the ARNs that access was asked for, as IAM sees them, in the
	// order of the checks; "*" for an operation that works on no resource.
	Resources []string

	// Body is what was sent; for IAM, SNS and STS a JSON string of the form.
	Body json.RawMessage

	// Error is the code of the answer, empty when the call succeeded. A connection
	// that was dropped on request is "DropBefore" or "DropAfter".
	Error string
}

// Calls returns the record of the calls since the start or [Emulator.ResetCalls], in
// the order in which they began.
func (e *Emulator) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	calls := slices.Clone(e.calls)
	slices.SortStableFunc(calls, func(a, b Call) int { return a.Start.Compare(b.Start) })
	return calls
}

// ResetCalls forgets the calls so far.
func (e *Emulator) ResetCalls() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = nil
}

// record notes the call and returns an id for its answer.
func (e *Emulator) record(r *request, start time.Time, err *Error, drop Drop) (requestID string) {
	c := Call{
		Start: start, End: time.Now(),
		Account: r.account, Region: r.region, Role: r.role,
		Service: r.service, Operation: r.operation,
		Resources: r.resources, Body: r.body,
	}
	if !json.Valid(r.body) {
		c.Body, _ = json.Marshal(string(r.body))
	}
	switch {
	case drop != DropNone:
		c.Error = drop.String()
	case err != nil:
		c.Error = err.Code
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, c)
	return e.newUUID()
}
