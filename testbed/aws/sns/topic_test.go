package sns_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func client(w *emulatortest.Env, key string) *sns.Client { return sns.NewFromConfig(w.Config(key)) }

// publish publishes a message to a topic with the access key id.
func publish(t *testing.T, w *emulatortest.Env, key, topic, message string) error {
	t.Helper()
	_, err := client(w, key).Publish(t.Context(), &sns.PublishInput{TopicArn: &topic, Message: &message})
	return err
}

func TestTopics(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	const topic = "arn:aws:sns:us-east-1:111111111111:deployments"
	if got := w.AWS.CreateTopic(dev, "us-east-1", "deployments"); got != topic {
		t.Errorf("the topic is %s, want %s", got, topic)
	}
	for _, message := range []string{`{"version":"1.0","content":{"title":"a & b <!channel>"}}`, "two"} {
		if err := publish(t, w, dev, topic, message); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{`{"version":"1.0","content":{"title":"a & b <!channel>"}}`, "two"},
		w.AWS.Published(topic)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	const denied = "User: arn:aws:sts::111111111111:assumed-role/Deployer/session is not authorized to perform: " +
		"SNS:Publish on resource: " + topic + " because no identity-based policy allows the SNS:Publish action"
	w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, emulatortest.Allow("sns:Publish", topic+"2")))
	emulatortest.WantError(t, publish(t, w, dev+"-Deployer", topic, "three"), "AuthorizationError", denied)
	w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, emulatortest.Allow("sns:Publish", topic)))
	if err := publish(t, w, dev+"-Deployer", topic, "three"); err != nil {
		t.Error(err)
	}
	emulatortest.WantError(t, publish(t, w, prod, topic, "four"), "AuthorizationError",
		"User: arn:aws:iam::333333333333:root is not authorized to perform: SNS:Publish on resource: "+topic+
			" because no resource-based policy allows the SNS:Publish action")
	emulatortest.WantError(t, publish(t, w, dev, topic+"2", "five"), "NotFound", "Topic does not exist")
	emulatortest.WantError(t, publish(t, w, dev, "deployments", "six"), "InvalidParameter",
		"Invalid parameter: TopicArn")
	emulatortest.WantError(t, publish(t, w, dev, topic, ""), "InvalidParameter", "Invalid parameter: Empty message")
	emulatortest.WantError(t, publish(t, w, dev, topic, strings.Repeat("x", 256<<10+1)), "InvalidParameter",
		"Invalid parameter: Message too long")
	if got := len(w.AWS.Published(topic)); got != 3 {
		t.Errorf("%d messages were published, want 3", got)
	}
}
