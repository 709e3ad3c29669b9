package doctor

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"deployer/internal/fault"
)

// queue reports the events that wait in one of the stack's queues, by its kind
// ("failed" or "undelivered"). What they are in the queue for is why.
func (f *findings) queue(ctx context.Context, c *checker, kind, why string) {
	check := kind + " queue"
	name, url := c.env.QueueName(kind), c.env.QueueURL(kind)
	out, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(url),
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}})
	switch {
	case noQueue(err):
		f.add(check, Problem, fmt.Sprintf("queue %q does not exist: %s are lost", name, why), install+c.env.Name)
		return
	case err != nil:
		f.notChecked(c, check, "sqs:GetQueueAttributes", c.arn("sqs", name), err)
		return
	}
	count := 0
	for _, text := range out.Attributes {
		n, _ := strconv.Atoi(text) // SQS counts with digits
		count += n
	}
	if count == 0 {
		f.ok(check, "%s is empty", name)
		return
	}
	messages := fmt.Sprintf("%d messages", count)
	if count == 1 {
		messages = "1 message"
	}
	f.add(check, Warning, fmt.Sprintf("queue %q has %s: %s", name, messages, why),
		"see what they are, then run them again or discard them: "+
			c.env.Command("redrive", "--queue", kind, "--dry-run"))
}

// noQueue reports whether an error says that a queue does not exist.
func noQueue(err error) bool {
	return fault.HasCode(err, "QueueDoesNotExist") || fault.HasCode(err, "AWS.SimpleQueueService.NonExistentQueue")
}
