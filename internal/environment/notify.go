package environment

import (
	"fmt"
	"slices"
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

// secrets begins the name of a parameter that is a secret of Secrets Manager.
const secrets = "/aws/reference/secretsmanager/"

// The limits of SSM and Secrets Manager: PutParameter and CreateSecret in their API references.
const (
	maxParameter = 1011 // characters of a parameter's name
	maxLevels    = 15   // parts of a parameter's name between slashes
	maxSecret    = 512  // characters of a secret's name
)

// wrongParameter returns why s cannot be the name of an SSM parameter, or of a secret; ""
// if it can. A name begins with no word of AWS, and its parts between slashes have letters,
// digits and _.- ; that of a secret may also contain + = @.
func wrongParameter(s string) string {
	if secret, ok := strings.CutPrefix(s, secrets); ok {
		switch {
		case !only(secret, upper+lower+digits+"_.+=@/-"):
			return "is not the name of an SSM parameter"
		case len(secret) > maxSecret:
			return fmt.Sprintf("has a secret's name of %d characters, and Secrets Manager allows %d", len(secret),
				maxSecret)
		}
		return ""
	}
	rest, slash := strings.CutPrefix(s, "/")
	parts := strings.Split(rest, "/")
	wrong := func(part string) bool { return !only(part, upper+lower+digits+"_.-") }
	switch first := strings.ToLower(parts[0]); {
	case !slash, slices.ContainsFunc(parts, wrong):
		return "is not the name of an SSM parameter"
	case first == "aws", first == "ssm":
		return "begins with /" + parts[0] + ", which SSM reserves: it is not the name of a parameter of your own"
	case len(parts) > maxLevels:
		return fmt.Sprintf("has %d levels, and SSM allows %d", len(parts), maxLevels)
	case len(s) > maxParameter:
		return fmt.Sprintf("has %d characters, and SSM allows %d", len(s), maxParameter)
	}
	return ""
}

// maxTopic is how many characters SNS allows in a topic's name: CreateTopic in its API reference.
const maxTopic = 256

// wrongTopic returns why s cannot be the ARN of an SNS topic that the environment's function
// publishes to; "" if it can.
func wrongTopic(e *Environment, s string) string {
	f := strings.Split(s, ":")
	if len(f) != 6 || f[0] != "arn" || !strings.HasPrefix(f[1], "aws") || strings.Trim(f[1], lower+"-") != "" ||
		f[2] != "sns" || !image.ValidRegion(f[3]) || !image.ValidAccountID(f[4]) ||
		!only(f[5], upper+lower+digits+"_-") || len(f[5]) > maxTopic {
		return "is not the ARN of an SNS topic"
	}
	own, of := image.PartitionOf(e.Region).Name, image.PartitionOf(f[3]).Name
	switch {
	case f[1] != of:
		return "is in the partition " + f[1] + ", and its region " + f[3] + " in " + of
	case own != of && e.Region != "":
		return "is in the partition " + of + ", and the environment in " + own + ": permissions do not cross partitions"
	}
	return ""
}

// notify reads deployer.notify, and the webhook that older files have in workload.
func (s section) notify(e *Environment, workload section) (n Notify) {
	o := s.own("notify", []string{"slack", "topic"})
	n.Slack = o.text("slack")
	switch {
	case strings.HasPrefix(n.Slack, "http"):
		o.fault("slack",
			"is a webhook's address, which is a secret: anyone who has it can write to the channel",
			"store it in an SSM parameter of type SecureString, and write its name here, like /myproject/slack")
	case n.Slack != "":
		if why := wrongParameter(n.Slack); why != "" {
			o.fault("slack", why, "write it like /myproject/slack, or "+secrets+"NAME for a secret")
		}
	}
	n.Topic = o.text("topic")
	if n.Topic != "" {
		if why := wrongTopic(e, n.Topic); why != "" {
			o.fault("topic", why, "write it like arn:aws:sns:us-east-1:333333333333:deployments")
		}
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
