// Package redrive runs the events of a failure queue again.
package redrive

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"deployer/internal/ecsdeploy"
	"deployer/internal/pipeline"
)

// Pipeline is what Run needs of [pipeline.Pipeline].
type Pipeline interface {
	Handle(ctx context.Context, raw json.RawMessage) (pipeline.Result, error)
	Preview(ctx context.Context, raw json.RawMessage) (pipeline.Result, error)
}

// Report is the result of one message.
type Report struct {
	MessageID string
	Why       string // why it was in the queue; "" if that is not known
	Result    pipeline.Result
	Err       error // why the message stays in the queue
	Deleted   bool
}

// Run runs the events of a queue, one after the other in the order of SQS. An
// event keeps its original time, so that an old event cannot replace a newer
// deployment. A message is deleted if its event has a result other than rejected.
// It stays if the event fails or is rejected again, or if it holds no event.
//
// Run ends when the queue is empty, when it receives a message for the second
// time, or after maxMessages unless that is 0. A dry run previews each event and
// deletes nothing. Run calls report once for each message. Its error is that of a
// call of SQS, a fault of package fault.
func Run(ctx context.Context, config aws.Config, queueURL string, p Pipeline, maxMessages int, dryRun bool,
	report func(Report)) error {
	q := &queue{sqs.NewFromConfig(config), queueURL}
	seen := map[string]bool{}
	var kept []string // receipts of messages that stay in the queue
	defer func() {
		for _, receipt := range kept {
			q.release(ctx, receipt)
		}
	}()
	for maxMessages == 0 || len(seen) < maxMessages {
		m, err := q.receive(ctx)
		if m == nil || err != nil {
			return err
		}
		id, receipt := aws.ToString(m.MessageId), aws.ToString(m.ReceiptHandle)
		if seen[id] {
			kept = append(kept, receipt)
			return nil
		}
		seen[id] = true
		r := runMessage(ctx, p, m, dryRun)
		if r.Err != nil || dryRun {
			kept = append(kept, receipt)
			report(r)
			continue
		}
		err = q.delete(ctx, receipt)
		r.Deleted = err == nil
		report(r)
		if err != nil {
			return err
		}
	}
	return nil
}

// runMessage runs the event of one message.
func runMessage(ctx context.Context, p Pipeline, m *types.Message, dryRun bool) Report {
	r := Report{MessageID: aws.ToString(m.MessageId)}
	attributes := map[string]string{}
	for name, a := range m.MessageAttributes {
		attributes[name] = aws.ToString(a.StringValue)
	}
	message, err := Parse([]byte(aws.ToString(m.Body)), attributes)
	if err != nil {
		r.Err = err
		return r
	}
	r.Why = message.Why
	if dryRun {
		r.Result, r.Err = p.Preview(ctx, message.Event)
	} else {
		r.Result, r.Err = p.Handle(ctx, message.Event)
	}
	if r.Err == nil && r.Result.Status == ecsdeploy.Rejected {
		r.Err = fmt.Errorf("event %s rejected: %s", r.Result.EventID, r.Result.Reason)
	}
	return r
}
