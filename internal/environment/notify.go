package environment

import (
	"regexp"
	"strings"
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

var (
	parameterForm = regexp.MustCompile(`^/[A-Za-z0-9_.+=@/-]+$`) // names of secrets may contain + = @
	topicForm     = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$`)
)

// notify reads deployer.notify, and the webhook that older files have in workload.
func (s section) notify(workload section) (n Notify) {
	o := s.own("notify", []string{"slack", "topic"})
	n.Slack = o.text("slack")
	switch {
	case strings.HasPrefix(n.Slack, "http"):
		o.fault("slack",
			"is a webhook's address, which is a secret: anyone who has it can write to the channel",
			"store it in an SSM parameter of type SecureString, and write its name here, like /myproject/slack")
	case n.Slack != "" && !parameterForm.MatchString(n.Slack):
		o.fault("slack", "is not the name of an SSM parameter",
			"write it like /myproject/slack, or /aws/reference/secretsmanager/NAME for a secret")
	}
	n.Topic = o.text("topic")
	if n.Topic != "" && !topicForm.MatchString(n.Topic) {
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
