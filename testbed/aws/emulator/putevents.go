package emulator

import (
	"encoding/json"
	"strings"
	"time"

	"deployer/testbed/aws/events/pattern"
)

const (
	mostEntries   = 10
	maxEntries    = 1 << 20 // bytes in one request, exclusively
	maxDetailType = 128
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

// size is what the entry counts against the limit of a request.
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

// An entryResult is what PutEvents answers for one entry.
type entryResult struct {
	EventID string `json:"EventId,omitempty"`
	Code    string `json:"ErrorCode,omitempty"`
	Message string `json:"ErrorMessage,omitempty"`
}

// check is why the entry alone fails, if it does.
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
		return "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType must be at most 128 characters."
	case json.Unmarshal([]byte(*n.Detail), &detail) != nil || detail == nil:
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}

type putEventsInput struct{ Entries []entry }

func (e *Emulator) putEvents(r *request, in putEventsInput) (any, *Error) {
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
		if code, message := n.check(); code != "" {
			failures++
			results = append(results, entryResult{Code: code, Message: message})
			continue
		}
		results = append(results, entryResult{EventID: e.putEvent(r, n)})
	}
	return object{"FailedEntryCount": failures, "Entries": results}, nil
}

// checkEntries refuses a request as a whole.
func checkEntries(entries []entry) *Error {
	size := 0
	for _, n := range entries {
		size += n.size()
	}
	const constraint = "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length "
	switch {
	case len(entries) < 1:
		return errValidation(constraint + "greater than or equal to 1")
	case len(entries) > mostEntries:
		return errValidation(constraint + "less than or equal to 10")
	case size >= maxEntries:
		return errValidation("Total size of the entries in the request is over the limit.")
	}
	return nil
}

// authorizeEntry asks for leave to put the entry on its bus. One refusal fails the call.
func (e *Emulator) authorizeEntry(r *request, n entry) *Error {
	key, name := r.busOf(n.EventBusName)
	a := access{
		action: r.name(), resource: key.busARN(name),
		context: map[string]string{"events:source": n.Source, "events:detail-type": n.DetailType, "events:eventBusInvocation": "false"},
	}
	if bus := e.findBus(key, name); bus != nil {
		a.policy = bus.policy
	}
	return e.authorize(r, a)
}

// putEvent puts the event on its bus. Where there is no such bus the event is lost, and
// the sender is not told.
func (e *Emulator) putEvent(r *request, n entry) (id string) {
	ev := envelope{
		Version: "0", ID: e.newUUID(), DetailType: n.DetailType, Source: n.Source,
		Account: r.account, Time: seconds(r.now), Region: r.region,
		Resources: nonNil(n.Resources), Detail: json.RawMessage(*n.Detail),
	}
	if n.Time != nil {
		ev.Time = seconds(time.Unix(int64(*n.Time), 0))
	}
	key, name := r.busOf(n.EventBusName)
	if bus := e.findBus(key, name); bus != nil {
		e.publish(bus, ev, key.account != r.account)
	}
	return ev.ID
}

type testEventPatternInput struct{ EventPattern, Event string }

func (e *Emulator) testEventPattern(r *request, in testEventPatternInput) (any, *Error) {
	if err := e.authorize(r, access{action: r.name(), resource: "*"}); err != nil {
		return nil, err
	}
	p, parseErr := pattern.Parse([]byte(in.EventPattern))
	if parseErr != nil {
		return nil, errInvalidPattern(parseErr)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(in.Event), &members) != nil {
		return nil, errValidation("Parameter Event is not valid. Reason: Event is not valid JSON.")
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} {
		if _, ok := members[name]; !ok {
			return nil, errValidation("Parameter Event is not valid. Reason: %s is a required argument.", name)
		}
	}
	matches, matchErr := p.Match([]byte(in.Event))
	if matchErr != nil {
		return nil, errValidation("Parameter Event is not valid. Reason: %v", matchErr)
	}
	return object{"Result": matches}, nil
}
