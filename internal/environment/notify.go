package environment

import (
	"regexp"
	"strings"
)

// Notify says who hears of the environment's deployments; "" is nobody.
type Notify struct {
	// Slack is the SSM parameter that holds the webhook of a Slack channel. A
	// name below /aws/reference/secretsmanager/ is a secret of Secrets Manager,
	// read through SSM.
	Slack        string
	SlackWebhook string // the webhook itself, where the file holds it; a secret
	Topic        string // ARN of an SNS topic
}

var (
	parameterForm = regexp.MustCompile(`^/[A-Za-z0-9_.+=@/-]+$`) // a secret's name may hold + = @ too
	topicForm     = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$`)
)

// notify reads deployer.notify, and the webhook where older files have it.
func (s section) notify(workload section) (n Notify) {
	o := s.own("notify", []string{"slack", "topic"})
	switch n.Slack = o.text("slack"); {
	case strings.HasPrefix(n.Slack, "http"):
		s.fault(o.place("slack"), "`"+o.path+"slack` is an address, and who knows a webhook may write to its channel: it is no more for a file than a password",
			"put it into an SSM parameter of type SecureString, and write that parameter's name here, like /myproject/slack")
	case n.Slack != "" && !parameterForm.MatchString(n.Slack):
		s.fault(o.place("slack"), "`"+o.path+"slack` is not the name of an SSM parameter", "write it like /myproject/slack, or /aws/reference/secretsmanager/NAME for a secret")
	}
	if n.Topic = o.text("topic"); n.Topic != "" && !topicForm.MatchString(n.Topic) {
		s.fault(o.place("topic"), "`"+o.path+"topic` is not the ARN of an SNS topic", "write it like arn:aws:sns:us-east-1:333333333333:deployments")
	}
	if n.SlackWebhook = workload.text("slack_webhook"); n.SlackWebhook != "" {
		s.warn(workload.place("slack_webhook"), "`workload.slack_webhook` is a secret in a file", "put it into an SSM parameter, name that in deployer.notify.slack, and make a new webhook")
	}
	if n.Slack != "" {
		n.SlackWebhook = ""
	}
	return n
}
