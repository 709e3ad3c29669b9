package events

import (
	"encoding/json"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// The limits of PutEvents (EventBridge API reference, "PutEvents").
const (
	maxEntries      = 10
	maxRequestBytes = 1 << 20 // exclusive
	maxDetailType   = 128
)

// An entry is one event of PutEvents.
type entry struct {
	Source       string
	DetailType   string
	Detail       *string
	EventBusName string
	Resources    []string
	Time         *float64
}

// size returns the entry's size in bytes (EventBridge user guide, "Calculating Amazon EventBridge PutEvents event entry
// size").
func (n entry) size() int {
	size := len(n.Source) + len(n.DetailType)
	if n.Time != nil {
		size += 14
	}
	if n.Detail != nil {
		size += len(*n.Detail)
	}
	for _, resource := range n.Resources {
		size += len(resource)
	}
	return size
}

// An entryResult is PutEvents' answer for one entry.
type entryResult struct {
	EventID string `json:"EventId,omitempty"`
	Code    string `json:"ErrorCode,omitempty"`
	Message string `json:"ErrorMessage,omitempty"`
}

// check returns the error of an entry that fails while others may succeed, "" if there is none.
func (n entry) check() (code, message string) {
	required := func(name string) (string, string) {
		return "InvalidArgument", "Parameter " + name + " is not valid. Reason: " + name + " is a required argument."
	}
	var detail map[string]json.RawMessage
	switch {
	case n.Source == "":
		return required("Source")
	case n.DetailType == "":
		return required("DetailType")
	case n.Detail == nil || *n.Detail == "":
		return required("Detail")
	case strings.HasPrefix(n.Source, "aws."):
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	case len(n.DetailType) > maxDetailType:
		return "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType must be at most 128 " +
			"characters."
	case json.Unmarshal([]byte(*n.Detail), &detail) != nil || detail == nil:
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}

type putEventsInput struct{ Entries []entry }

func (e *Server) putEvents(r *api.Request, in putEventsInput) (any, *api.Error) {
	if err := checkEntries(in.Entries); err != nil {
		return nil, err
	}
	for _, n := range in.Entries {
		if err := e.authorizeEntry(r, n); err != nil {
			return nil, err
		}
	}
	results, failures := []entryResult{}, 0
	for _, n := range in.Entries {
		code, message := n.check()
		if code != "" {
			failures++
			results = append(results, entryResult{Code: code, Message: message})
			continue
		}
		results = append(results, entryResult{EventID: e.putEvent(r, n)})
	}
	return api.Object{"FailedEntryCount": failures, "Entries": results}, nil
}

// checkEntries returns the error of a request that fails as a whole.
func checkEntries(entries []entry) *api.Error {
	size := 0
	for _, n := range entries {
		size += n.size()
	}
	const constraint = "1 validation error detected: " +
		"Value at 'entries' failed to satisfy constraint: Member must have length "
	switch {
	case len(entries) < 1:
		return api.Validation(constraint + "greater than or equal to 1")
	case len(entries) > maxEntries:
		return api.Validation(constraint + "less than or equal to 10")
	case size >= maxRequestBytes:
		return api.Validation("Total size of the entries in the request is over the limit.")
	}
	return nil
}

// authorizeEntry checks that the caller may send the entry to its bus. One entry without permission fails the request.
func (e *Server) authorizeEntry(r *api.Request, n entry) *api.Error {
	id := parseBus(r, n.EventBusName)
	a := api.Access{
		Action: r.Name(), Resource: busARN(id.scope, id.name),
		Context: map[string]string{
			"events:source": n.Source, "events:detail-type": n.DetailType, "events:eventBusInvocation": "false",
		},
	}
	b := e.find(id)
	if b != nil {
		a.Policy = b.policy
	}
	return r.Authorize(a)
}

// putEvent sends the event to its bus. If there is no such bus, the event is lost without an error, as in AWS.
func (e *Server) putEvent(r *api.Request, n entry) (id string) {
	ev := envelope{
		Version: "0", ID: e.backend.NewUUID(), DetailType: n.DetailType, Source: n.Source,
		Account: r.Caller.Account, Time: api.EventTime(r.Now), Region: r.Caller.Region,
		Resources: api.NonNil(n.Resources), Detail: json.RawMessage(*n.Detail),
	}
	if n.Time != nil {
		ev.Time = api.EventTime(time.Unix(int64(*n.Time), 0))
	}
	to := parseBus(r, n.EventBusName)
	b := e.find(to)
	if b != nil {
		e.route(b, ev, to.scope.Account != r.Caller.Account)
	}
	return ev.ID
}
