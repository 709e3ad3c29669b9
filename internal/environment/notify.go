package environment

import (
	"strings"

	"deployer/internal/image"
)

// Notify is where the outcomes of deployments are sent; a channel that is "" is not used.
type Notify struct {
	// Slack is the SSM parameter that holds the webhook of a Slack channel. A
	// name that starts with /aws/reference/secretsmanager/ is that of a secret in
	// Secrets Manager, which SSM reads.
	Slack        string
	SlackWebhook string // the webhook's address, if the file holds it; a secret
	Topic        string // ARN of an SNS topic
}

// validParameter reports whether s can be the name of an SSM parameter, or of a secret,
// which may contain + = @.
func validParameter(s string) bool {
	return strings.HasPrefix(s, "/") && only(s[1:], upper+lower+digits+"_.+=@/-")
}

// validTopic reports whether s is the ARN of an SNS topic.
func validTopic(s string) bool {
	f := strings.Split(s, ":")
	return len(f) == 6 && f[0] == "arn" && strings.HasPrefix(f[1], "aws") && strings.Trim(f[1], lower+"-") == "" &&
		f[2] == "sns" && only(f[3], lower+digits+"-") && image.ValidAccountID(f[4]) &&
		only(f[5], upper+lower+digits+"_-")
}

// notify reads deployer.notify, and the webhook that older files have in workload.
func (s section) notify(workload section) (n Notify) {
	o := s.own("notify", []string{"slack", "topic"})
	n.Slack = o.text("slack")
	switch {
	case strings.HasPrefix(n.Slack, "http"):
		o.fault("slack",
			"is a webhook's address, which is a secret: anyone who has it can write to the channel",
			"store it in an SSM parameter of type SecureString, and write its name here, like /myproject/slack")
	case n.Slack != "" && !validParameter(n.Slack):
		o.fault("slack", "is not the name of an SSM parameter",
			"write it like /myproject/slack, or /aws/reference/secretsmanager/NAME for a secret")
	}
	n.Topic = o.text("topic")
	if n.Topic != "" && !validTopic(n.Topic) {
		o.fault("topic", "is not the ARN of an SNS topic",
			"write it like arn:aws:sns:us-east-1:333333333333:deployments")
	}
	n.SlackWebhook = workload.text("slack_webhook")
	if n.SlackWebhook != "" {
		workload.warn("slack_webhook", "is a secret in a file",
			"store it in an SSM parameter, name that in deployer.notify.slack, and create a new webhook")
	}
	if n.Slack != "" {
		n.SlackWebhook = ""
	}
	return n
}
