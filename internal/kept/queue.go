package kept

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/outcome"
	"deployer/internal/signed"
)

// Queue is the failure queue, to which only the function's role may send. It is safe
// for concurrent use.
type Queue struct {
	url    string
	client signed.Client
}

// NewQueue returns the queue with a URL, in the account and region of config. With the
// URL "" nothing is kept.
func NewQueue(config aws.Config, url string) *Queue { return &Queue{url, signed.New(config)} }

// Keep sends a message for each outcome that is to be kept (see [outcome.Outcome.Kept]).
// Function is the ARN of the function. The error is a fault of package fault. After it,
// some may have been sent: the caller returns it, so that the event is retried, and is
// kept twice rather than never.
func (q *Queue) Keep(ctx context.Context, function string, at time.Time, outcomes ...outcome.Outcome) error {
	if q.url == "" {
		return nil
	}
	for _, o := range outcomes {
		if !o.Kept() {
			continue
		}
		m := Message{Kind: Kind, Schema: Schema, Function: function, Time: at.UTC(), Outcome: o.Kind,
			Detail: o.Detail()}
		body, err := m.encode()
		if err != nil {
			return err
		}
		in := map[string]string{"QueueUrl": q.url, "MessageBody": body}
		doing := fmt.Sprintf("keeping event %q in queue %q", o.Cause.ID, q.url)
		if err := q.client.JSON(ctx, "sqs", "AmazonSQS.SendMessage", doing, in, &struct{}{}); err != nil {
			return err
		}
	}
	return nil
}
