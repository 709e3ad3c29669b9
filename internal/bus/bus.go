// Package bus puts events on an Amazon EventBridge bus, and checks that they are
// there: PutEvents answers HTTP 200 even for entries that it rejected.
package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"deployer/internal/fault"
	"deployer/internal/signed"
)

const (
	maxEntries  = 10 // of one PutEvents
	maxAttempts = 4  // to put an entry that EventBridge rejects for a transient reason
)

// Entry is an event to put.
type Entry struct {
	Source     string
	DetailType string
	Detail     string    // a JSON object
	Time       time.Time // when it happened; zero for now
	Resources  []string  // ARNs of what the event is about
}

// Bus is an event bus. It is safe for concurrent use.
type Bus struct {
	name   string
	client signed.Client
}

// New returns the bus with a name or an ARN, "" for the default bus, in the
// account and region of config.
func New(config aws.Config, name string) *Bus {
	if name == "" {
		name = "default"
	}
	return &Bus{name, signed.New(config)}
}

// The parts of EventBridge's messages that are used: see PutEvents in the Amazon
// EventBridge API reference.
type (
	putRequest struct{ Entries []requestEntry }

	requestEntry struct {
		EventBusName, Source, DetailType, Detail string
		Resources                                []string `json:",omitempty"`
		Time                                     float64  `json:",omitempty"` // seconds since 1970
	}

	putAnswer struct{ Entries []answerEntry }

	answerEntry struct{ EventId, ErrorCode, ErrorMessage string }
)

// call calls an operation of EventBridge.
func (b *Bus) call(ctx context.Context, operation, doing string, in, out any) error {
	return b.client.JSON(ctx, "events", "AWSEvents."+operation, doing, in, out)
}

// Put puts the entries on the bus and returns their event ids in the same order,
// "" for an entry that was rejected. Its error is a fault of package fault, and
// names every rejected entry. Transient faults are retried.
func (b *Bus) Put(ctx context.Context, entries ...Entry) (ids []string, err error) {
	var errs []error
	for part := range slices.Chunk(entries, maxEntries) {
		partIDs, err := b.put(ctx, part)
		ids, errs = append(ids, partIDs...), append(errs, err)
	}
	return ids, errors.Join(errs...)
}

// put puts at most maxEntries entries.
func (b *Bus) put(ctx context.Context, entries []Entry) ([]string, error) {
	ids, errs := make([]string, len(entries)), make([]error, len(entries))
	pending := make([]int, len(entries)) // indexes of entries
	for i := range pending {
		pending[i] = i
	}
	for attempt := 1; ; attempt++ {
		var in putRequest
		for _, i := range pending {
			in.Entries = append(in.Entries, b.request(entries[i]))
		}
		var out putAnswer
		doing := fmt.Sprintf("putting %d events on bus %q", len(pending), b.name)
		if err := b.call(ctx, "PutEvents", doing, in, &out); err != nil {
			return ids, err
		}
		if len(out.Entries) != len(pending) {
			missing := fmt.Sprintf("result for each of %d events", len(pending))
			return ids, fault.Incomplete(doing, missing)
		}
		var retry []int
		var outage *fault.Outage
		for n, i := range pending {
			ids[i], errs[i] = b.result(entries[i], out.Entries[n])
			if errors.As(errs[i], &outage) {
				retry = append(retry, i)
			}
		}
		pending = retry
		if len(pending) == 0 || attempt == maxAttempts {
			return ids, errors.Join(errs...)
		}
		if err := fault.Backoff(ctx, attempt, outage.Doing, outage.Err); err != nil {
			return ids, errors.Join(errs...)
		}
	}
}

// request returns an entry as PutEvents expects it.
func (b *Bus) request(e Entry) requestEntry {
	r := requestEntry{EventBusName: b.name, Source: e.Source, DetailType: e.DetailType, Detail: e.Detail,
		Resources: e.Resources}
	if !e.Time.IsZero() {
		r.Time = float64(e.Time.UnixMilli()) / 1000
	}
	return r
}

// result returns the event id of an entry, or the fault for which it was rejected.
func (b *Bus) result(e Entry, r answerEntry) (id string, err error) {
	doing := fmt.Sprintf("putting the %s event of source %q on bus %q", e.DetailType, e.Source, b.name)
	switch {
	case r.ErrorCode == "" && r.EventId != "":
		return r.EventId, nil
	case r.ErrorCode == "":
		return "", fault.Incomplete(doing, "id of the event")
	}
	cause := &smithy.GenericAPIError{Code: r.ErrorCode, Message: r.ErrorMessage}
	return "", fault.Classify(doing, cause)
}

// Exists reports whether the bus exists: PutEvents accepts events for a bus that
// does not, and drops them. It calls events:DescribeEventBus. Its error is a fault
// of package fault.
func (b *Bus) Exists(ctx context.Context) (bool, error) {
	var out struct{ Arn string }
	doing := fmt.Sprintf("describing event bus %q", b.name)
	err := b.call(ctx, "DescribeEventBus", doing, map[string]string{"Name": b.name}, &out)
	switch {
	case fault.HasCode(err, "ResourceNotFoundException"):
		return false, nil
	case err == nil && out.Arn == "":
		return false, fault.Incomplete(doing, "ARN of the bus")
	}
	return err == nil, err
}

// RuleState returns the state of a rule of the bus, "ENABLED" or "DISABLED", as EventBridge
// has it; "" if there is no such rule. It calls events:DescribeRule. Its error is a fault of
// package fault.
func (b *Bus) RuleState(ctx context.Context, rule string) (state string, err error) {
	var out struct{ State string }
	doing := fmt.Sprintf("describing rule %q of bus %q", rule, b.name)
	err = b.call(ctx, "DescribeRule", doing, map[string]string{"Name": rule, "EventBusName": b.name}, &out)
	switch {
	case fault.HasCode(err, "ResourceNotFoundException"):
		return "", nil
	case err == nil && out.State == "":
		return "", fault.Incomplete(doing, "state of the rule")
	}
	return out.State, err
}
