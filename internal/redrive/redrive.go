package redrive

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"deployer/internal/ecsdeploy"
	"deployer/internal/fault"
	"deployer/internal/pipeline"
)

// hidden is how long a message is kept from other receivers, in seconds: longer
// than a deployment takes.
const hidden = 300

// Report is what became of one message.
type Report struct {
	MessageID string
	Why       string // why it was in the queue; "" if that is not known
	Result    pipeline.Result
	Err       error // the message stays in the queue
	Deleted   bool
}

// Run runs the events of a queue again, one after the other in the order in
// which SQS gives them, each through the same pipeline and with its original
// time: a day-old event cannot move a service back. A message is deleted only
// after its event ended in a result, whichever; an event that fails again, and
// a message that keeps none, stay. Run ends when the queue is empty, after most
// messages if that is not 0, or when a message comes a second time. Each report
// goes to told. The error is that of SQS, a fault of package fault.
func Run(ctx context.Context, config aws.Config, queueURL string, p *pipeline.Pipeline, most int, dryRun bool, told func(Report)) error {
	q := &queue{sqs.NewFromConfig(config), queueURL}
	seen := map[string]bool{}
	var back []string // receipts of messages to show again
	defer func() {
		for _, receipt := range back {
			q.show(ctx, receipt)
		}
	}()
	for most == 0 || len(seen) < most {
		m, err := q.receive(ctx)
		if err != nil {
			return err
		}
		if m == nil {
			return nil
		}
		receipt := aws.ToString(m.ReceiptHandle)
		if seen[aws.ToString(m.MessageId)] {
			back = append(back, receipt)
			return nil
		}
		seen[aws.ToString(m.MessageId)] = true
		r := one(ctx, p, m, dryRun)
		if r.Err != nil || dryRun {
			back = append(back, receipt)
		} else if err := q.delete(ctx, receipt); err != nil {
			told(r)
			return err
		} else {
			r.Deleted = true
		}
		told(r)
	}
	return nil
}

// one runs the event of one message.
func one(ctx context.Context, p *pipeline.Pipeline, m *types.Message, dryRun bool) Report {
	r := Report{MessageID: aws.ToString(m.MessageId)}
	attributes := map[string]string{}
	for name, a := range m.MessageAttributes {
		attributes[name] = aws.ToString(a.StringValue)
	}
	record, err := Parse([]byte(aws.ToString(m.Body)), attributes)
	if err != nil {
		r.Err = err
		return r
	}
	r.Why = record.Why
	if dryRun {
		r.Result, r.Err = p.Preview(ctx, record.Event)
	} else {
		r.Result, r.Err = p.Handle(ctx, json.RawMessage(record.Event))
	}
	if r.Err == nil && r.Result.Status == ecsdeploy.Rejected {
		r.Err = fmt.Errorf("event %s rejected: %s", r.Result.EventID, r.Result.Reason)
	}
	return r
}

// queue is one queue of SQS.
type queue struct {
	sqs *sqs.Client
	url string
}

// receive returns the next message, nil if there is none.
func (q *queue) receive(ctx context.Context) (*types.Message, error) {
	out, err := q.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(q.url), MaxNumberOfMessages: 1, VisibilityTimeout: hidden, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
	}, within(ctx))
	if err != nil {
		return nil, q.fault("receiving a message", "sqs:ReceiveMessage", err)
	}
	if len(out.Messages) == 0 {
		return nil, nil
	}
	return &out.Messages[0], nil
}

func (q *queue) delete(ctx context.Context, receipt string) error {
	_, err := q.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(q.url), ReceiptHandle: aws.String(receipt)}, within(ctx))
	return q.fault("deleting a message whose event was carried out", "sqs:DeleteMessage", err)
}

// show makes a message visible to others at once. Where it cannot, the message
// shows itself after a while.
func (q *queue) show(ctx context.Context, receipt string) {
	_, _ = q.sqs.ChangeMessageVisibility(context.WithoutCancel(ctx), &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(q.url), ReceiptHandle: aws.String(receipt)})
}

func (q *queue) fault(doing, action string, err error) error {
	if err == nil {
		return nil
	}
	doing = fmt.Sprintf("%s of queue %q", doing, q.url)
	if _, denied := fault.Denied(err); denied {
		return fault.Misconfigured(fault.ErrAccessDenied, doing, fault.Plain(err), "allow "+action+" on the queue")
	}
	return fault.Classify(doing, err)
}

func within(ctx context.Context) func(*sqs.Options) {
	return func(o *sqs.Options) { o.Retryer = fault.UntilDeadline(ctx) }
}
