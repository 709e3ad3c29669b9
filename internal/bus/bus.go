// Package bus puts events on an Amazon EventBridge bus, and checks that they are
// there: PutEvents answers HTTP 200 even for entries that it rejected.
package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"deployer/internal/fault"
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

// Bus is an event bus. It is safe for concurrent use. Its client is made when it
// is first used.
type Bus struct {
	name   string
	client func() *eventbridge.Client
}

// New returns the bus with a name or an ARN, "" for the default bus, in the
// account and region of config.
func New(config aws.Config, name string) *Bus {
	if name == "" {
		name = "default"
	}
	return &Bus{name, sync.OnceValue(func() *eventbridge.Client { return eventbridge.NewFromConfig(config) })}
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
		in := &eventbridge.PutEventsInput{}
		for _, i := range pending {
			in.Entries = append(in.Entries, b.request(entries[i]))
		}
		out, err := b.client().PutEvents(ctx, in, untilDeadline(ctx))
		if err != nil {
			return ids, fault.Classify(fmt.Sprintf("putting %d events on bus %q", len(pending), b.name), err)
		}
		if len(out.Entries) != len(pending) {
			missing := fmt.Sprintf("result for each of %d events", len(pending))
			return ids, fault.Incomplete(fmt.Sprintf("putting %d events on bus %q", len(pending), b.name), missing)
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
func (b *Bus) request(e Entry) types.PutEventsRequestEntry {
	r := types.PutEventsRequestEntry{
		EventBusName: aws.String(b.name), Source: aws.String(e.Source), DetailType: aws.String(e.DetailType),
		Detail: aws.String(e.Detail), Resources: e.Resources,
	}
	if !e.Time.IsZero() {
		r.Time = aws.Time(e.Time)
	}
	return r
}

// result returns the event id of an entry, or the fault for which it was rejected.
func (b *Bus) result(e Entry, r types.PutEventsResultEntry) (id string, err error) {
	if r.ErrorCode == nil && aws.ToString(r.EventId) != "" {
		return *r.EventId, nil
	}
	doing := fmt.Sprintf("putting the %s event of source %q on bus %q", e.DetailType, e.Source, b.name)
	if r.ErrorCode == nil {
		return "", fault.Incomplete(doing, "id of the event")
	}
	cause := &smithy.GenericAPIError{Code: aws.ToString(r.ErrorCode), Message: aws.ToString(r.ErrorMessage)}
	return "", fault.Classify(doing, cause)
}

// Exists reports whether the bus exists: PutEvents accepts events for a bus that
// does not, and drops them. It calls events:DescribeEventBus. Its error is a fault
// of package fault.
func (b *Bus) Exists(ctx context.Context) (bool, error) {
	_, err := b.client().DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(b.name)},
		untilDeadline(ctx))
	if fault.HasCode(err, "ResourceNotFoundException") {
		return false, nil
	}
	return err == nil, fault.Classify(fmt.Sprintf("describing event bus %q", b.name), err)
}

func untilDeadline(ctx context.Context) func(*eventbridge.Options) {
	return func(o *eventbridge.Options) { o.Retryer = fault.UntilDeadline(ctx) }
}
