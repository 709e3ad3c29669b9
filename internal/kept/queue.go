package kept

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/fault"
	"deployer/internal/outcome"
	"deployer/internal/signed"
)

// Queue is the failure queue. Only the function's role may send to it. It is safe for
// concurrent use.
type Queue struct {
	url    string
	client signed.Client
}

// NewQueue returns the queue with a URL, in the account and region of config. With the
// URL "" nothing is kept.
func NewQueue(config aws.Config, url string) *Queue { return &Queue{url, signed.New(config)} }

// Keep sends a message for each outcome that is to be kept (see [outcome.Outcome.Kept]).
// Function is the ARN of the function. The error is a fault of package fault. On an error,
// some messages may have been sent already. The caller returns the error, so that the event
// is retried: it may be kept twice, but is not lost.
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
		var out struct{ MessageId string }
		if err := q.client.JSON(ctx, "sqs", "AmazonSQS.SendMessage", doing, in, &out); err != nil {
			return err
		}
		if out.MessageId == "" {
			return fault.Incomplete(doing, "id of the message")
		}
	}
	return nil
}
