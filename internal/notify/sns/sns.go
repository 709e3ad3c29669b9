// Package sns tells what became of a deployment to an SNS topic, in the form in
// which Amazon Q Developer in chat applications posts it to Slack, Microsoft
// Teams or Chime.
package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"deployer/internal/outcome"
	"deployer/internal/signed"
)

// Topic is an SNS topic.
type Topic struct {
	arn    string
	client signed.Client
}

// New returns the topic with an ARN, with the credentials of config. It is
// called in its own region, which need not be config's.
func New(config aws.Config, topic string) *Topic {
	if parsed, err := arn.Parse(topic); err == nil {
		config.Region = parsed.Region
	}
	return &Topic{topic, signed.New(config)}
}

// String returns the channel, for the log.
func (t *Topic) String() string { return "sns " + t.arn }

// Notify publishes an outcome. Its error is a fault of package fault.
func (t *Topic) Notify(ctx context.Context, o outcome.Outcome) error {
	text, err := json.Marshal(notification(o))
	if err != nil {
		return err
	}
	return t.client.Form(ctx, "sns", fmt.Sprintf("publishing to SNS topic %q", t.arn),
		url.Values{"Action": {"Publish"}, "Version": {"2010-03-31"}, "TopicArn": {t.arn}, "Message": {string(text)}})
}
