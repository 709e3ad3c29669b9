package emulator

import (
	"encoding/json"
	"slices"
	"time"

	"deployer/testbed/aws/api"
)

// A Call is the record of one call.
type Call struct {
	Start, End time.Time // on the wall clock
	Account    string    // the caller's account
	Region     string
	Role       string // the caller's role, empty for the account's administrator
	Service    string // the signing name, such as "ecs"; "s3" for the download of a layer
	Operation  string // such as "UpdateService"

	// Resources are the ARNs for which the caller needed permission, in the order of the checks; "*" stands for an
	// operation without resources.
	Resources []string

	// Body is the body of the request; for IAM, SNS and STS a JSON string of the form.
	Body json.RawMessage

	// Error is the code of the error answer, empty if the call succeeded. It is "DropBefore" or "DropAfter" if a fault
	// dropped the connection.
	Error string
}

// Calls returns the calls since the start or the last [Emulator.ResetCalls], in the order in which they began.
func (e *Emulator) Calls() []Call {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	calls := slices.Clone(e.calls)
	slices.SortStableFunc(calls, func(a, b Call) int { return a.Start.Compare(b.Start) })
	return calls
}

// ResetCalls discards the calls so far.
func (e *Emulator) ResetCalls() {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.calls = nil
}

// record records the call and returns a request id for its answer.
func (e *Emulator) record(r *api.Request, start time.Time, err *api.Error, drop Drop) (requestID string) {
	c := Call{
		Start: start, End: time.Now(),
		Account: r.Caller.Account, Region: r.Caller.Region, Role: r.Caller.Role,
		Service: r.Service, Operation: r.Operation,
		Resources: r.Resources, Body: r.Body,
	}
	if !json.Valid(r.Body) {
		c.Body, _ = json.Marshal(string(r.Body)) // a string always encodes
	}
	switch {
	case drop != DropNone:
		c.Error = drop.String()
	case err != nil:
		c.Error = err.Code
	}
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.calls = append(e.calls, c)
	return e.backend.NewUUID()
}
