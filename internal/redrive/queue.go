package redrive

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"deployer/internal/fault"
)

// visibilityTimeout is how long, in seconds, SQS hides a received message from
// other receivers: longer than a deployment takes.
const visibilityTimeout = 300

// queue is one SQS queue. The errors of its methods are faults of package fault.
type queue struct {
	client *sqs.Client
	url    string
}

// receive returns the next message, nil if there is none.
func (q *queue) receive(ctx context.Context) (*types.Message, error) {
	messages, err := q.receiveSome(ctx, 1, visibilityTimeout)
	if len(messages) == 0 || err != nil {
		return nil, err
	}
	return &messages[0], nil
}

// receiveSome returns at most so many of the next messages, and hides them for so many
// seconds. Waiting for a second makes SQS ask all of its servers ("Amazon SQS short and
// long polling").
func (q *queue) receiveSome(ctx context.Context, most, seconds int32) ([]types.Message, error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(q.url), MaxNumberOfMessages: most, VisibilityTimeout: seconds, WaitTimeSeconds: 1,
		MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSenderId,
			types.MessageSystemAttributeNameSentTimestamp},
	}, untilDeadline(ctx))
	if err != nil {
		return nil, q.fault("receiving a message", "sqs:ReceiveMessage", err)
	}
	return out.Messages, nil
}

// delete deletes a message, given its receipt.
func (q *queue) delete(ctx context.Context, receipt string) error {
	in := &sqs.DeleteMessageInput{QueueUrl: aws.String(q.url), ReceiptHandle: aws.String(receipt)}
	_, err := q.client.DeleteMessage(ctx, in, untilDeadline(ctx))
	return q.fault("deleting a message", "sqs:DeleteMessage", err)
}

// extend hides a received message from other receivers for another visibilityTimeout.
// It fails if the message is visible again by now.
func (q *queue) extend(ctx context.Context, receipt string) error {
	in := &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(q.url), ReceiptHandle: aws.String(receipt),
		VisibilityTimeout: visibilityTimeout}
	_, err := q.client.ChangeMessageVisibility(ctx, in, untilDeadline(ctx))
	return q.fault("keeping a message hidden", "sqs:ChangeMessageVisibility", err)
}

// release makes a message visible to other receivers at once. If it fails, the
// message becomes visible after the timeout.
func (q *queue) release(ctx context.Context, receipt string) {
	in := &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(q.url), ReceiptHandle: aws.String(receipt)}
	_, _ = q.client.ChangeMessageVisibility(context.WithoutCancel(ctx), in)
}

// fault returns the fault of a call. Action is the IAM action that allows it.
func (q *queue) fault(operation, action string, err error) error {
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf("%s of queue %q", operation, q.url)
	if message, denied := fault.Denied(err); denied {
		if d, ok := fault.ParseDenial(message); ok {
			return fault.Misconfigured(fault.ErrAccessDenied, doing, fault.Plain(err), d.Advice()+d.IfStillDenied())
		}
		return fault.Misconfigured(fault.ErrAccessDenied, doing, fault.Plain(err), "allow "+action+" on the queue")
	}
	return fault.Classify(doing, err)
}

func untilDeadline(ctx context.Context) func(*sqs.Options) {
	return func(o *sqs.Options) { o.Retryer = fault.UntilDeadline(ctx) }
}
