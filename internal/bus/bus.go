// Package bus puts events on an Amazon EventBridge bus, and makes sure that
// they are there: PutEvents answers HTTP 200 for entries that it did not take.
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

// most is how many entries one PutEvents takes.
const most = 10

// Entry is an event to put.
type Entry struct {
	Source     string
	DetailType string
	Detail     string    // a JSON object
	Time       time.Time // when it happened; zero for now
	Resources  []string  // ARNs of what it is about
}

// Bus is an event bus. It is safe for concurrent use; its client is made when
// it is first used.
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

// Put puts the entries on the bus and returns their event ids, in order. Its
// error is a fault of package fault, and names every entry that was not taken;
// the ids of the others are returned all the same.
func (b *Bus) Put(ctx context.Context, entries ...Entry) (ids []string, err error) {
	var errs []error
	for part := range slices.Chunk(entries, most) {
		got, err := b.put(ctx, part)
		ids, errs = append(ids, got...), append(errs, err)
	}
	return ids, errors.Join(errs...)
}

// put puts at most ten entries, and those once more that EventBridge did not
// take for a reason that passes.
func (b *Bus) put(ctx context.Context, entries []Entry) ([]string, error) {
	ids, errs := make([]string, len(entries)), make([]error, len(entries))
	left := make([]int, len(entries))
	for i := range left {
		left[i] = i
	}
	for attempt := 1; ; attempt++ {
		in := &eventbridge.PutEventsInput{}
		for _, i := range left {
			in.Entries = append(in.Entries, b.request(entries[i]))
		}
		out, err := b.client().PutEvents(ctx, in, func(o *eventbridge.Options) { o.Retryer = fault.UntilDeadline(ctx) })
		if err != nil {
			return ids, fault.Classify(fmt.Sprintf("putting %d events on bus %q", len(left), b.name), err)
		}
		var again []int
		var outage *fault.Outage
		for n, i := range left {
			ids[i], errs[i] = b.answer(entries[i], out.Entries[n])
			if errors.As(errs[i], &outage) {
				again = append(again, i)
			}
		}
		if left = again; len(left) == 0 || attempt == attempts {
			return ids, errors.Join(errs...)
		}
		if err := fault.Backoff(ctx, attempt, outage.Doing, outage.Err); err != nil {
			return ids, errors.Join(errs...)
		}
	}
}

// attempts is how often an entry is put that EventBridge does not take.
const attempts = 4

func (b *Bus) request(e Entry) types.PutEventsRequestEntry {
	r := types.PutEventsRequestEntry{EventBusName: aws.String(b.name), Source: aws.String(e.Source), DetailType: aws.String(e.DetailType), Detail: aws.String(e.Detail), Resources: e.Resources}
	if !e.Time.IsZero() {
		r.Time = aws.Time(e.Time)
	}
	return r
}

// answer returns the id of an entry that was taken, and the fault of one that was not.
func (b *Bus) answer(e Entry, r types.PutEventsResultEntry) (id string, err error) {
	if r.ErrorCode == nil {
		return aws.ToString(r.EventId), nil
	}
	doing := fmt.Sprintf("putting the %s event of source %q on bus %q", e.DetailType, e.Source, b.name)
	return "", fault.Classify(doing, &smithy.GenericAPIError{Code: aws.ToString(r.ErrorCode), Message: aws.ToString(r.ErrorMessage)})
}

// Exists asks whether the bus is there, for PutEvents takes events for a bus
// that is not, and drops them. Where the caller may not ask, the error says so.
func (b *Bus) Exists(ctx context.Context) (bool, error) {
	_, err := b.client().DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(b.name)}, func(o *eventbridge.Options) { o.Retryer = fault.UntilDeadline(ctx) })
	if fault.HasCode(err, "ResourceNotFoundException") {
		return false, nil
	}
	return err == nil, fault.Classify(fmt.Sprintf("describing event bus %q", b.name), err)
}
