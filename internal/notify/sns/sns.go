// Package sns tells what became of a deployment to an SNS topic, in the form in
// which Amazon Q Developer in chat applications posts it to Slack, Microsoft
// Teams or Chime.
package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"deployer/internal/fault"
	"deployer/internal/outcome"
)

// Topic is an SNS topic. Its client is made when it is first used.
type Topic struct {
	arn    string
	client func() *sns.Client
}

// New returns the topic with an ARN, in the region of config.
func New(config aws.Config, arn string) *Topic {
	return &Topic{arn, sync.OnceValue(func() *sns.Client { return sns.NewFromConfig(config) })}
}

// String returns the channel, for the log.
func (t *Topic) String() string { return "sns " + t.arn }

// Notify publishes an outcome. Its error is a fault of package fault.
func (t *Topic) Notify(ctx context.Context, o outcome.Outcome) error {
	text, err := json.Marshal(notification(o))
	if err != nil {
		return err
	}
	_, err = t.client().Publish(ctx, &sns.PublishInput{TopicArn: aws.String(t.arn), Message: aws.String(string(text))},
		func(o *sns.Options) { o.Retryer = fault.Within(ctx) })
	return fault.Of(fmt.Sprintf("publishing to SNS topic %q", t.arn), err)
}
