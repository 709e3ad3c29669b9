package redrive

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"

	"deployer/internal/environment"
)

const (
	maxLook     = 200 // messages of a queue that [Look] returns
	lookTimeout = 10  // seconds for which it hides a message
	lookAtOnce  = 10  // messages of one call, the most that SQS gives
	maxReleases = 8   // calls at the same time
)

// Look returns the messages of an environment's queue, newest first, and leaves them there. It
// reports that there are more if it stopped after 200.
//
// SQS has no call that only reads. Each message is received, which hides it from other
// receivers, and is shown again at once; without sqs:ChangeMessageVisibility, or if the program dies,
// after ten seconds. It counts as received once more. A queue with a redrive policy moves a message that was
// received more than maxReceiveCount times to its dead-letter queue ("Using dead-letter queues
// in Amazon SQS"); the stack's queues have no such policy. The error is a fault of package
// fault.
func Look(ctx context.Context, config aws.Config, env *environment.Environment, url string) (
	items []Item, more bool, err error) {
	q := &queue{sqs.NewFromConfig(config), url}
	var receipts []string
	defer func() {
		var releasing errgroup.Group
		releasing.SetLimit(maxReleases)
		for _, receipt := range receipts {
			releasing.Go(func() error { q.release(ctx, receipt); return nil })
		}
		_ = releasing.Wait()
	}()
	seen := map[string]bool{}
	for again := false; !again && !more; {
		messages, err := q.receiveSome(ctx, lookAtOnce, lookTimeout)
		if err != nil {
			return nil, false, err
		}
		again = len(messages) == 0
		for i, m := range messages {
			receipts = append(receipts, aws.ToString(m.ReceiptHandle))
			if seen[aws.ToString(m.MessageId)] {
				again = true // it was hidden for long enough
				continue
			}
			seen[aws.ToString(m.MessageId)] = true
			item, _, _, _ := owner{env: env}.read(&messages[i], time.Now()) //nolint:dogsled // it is not run
			items = append(items, item)
		}
		more = len(items) >= maxLook
	}
	slices.SortStableFunc(items, func(a, b Item) int { return b.SentAt.Compare(a.SentAt) })
	return items, more, nil
}
