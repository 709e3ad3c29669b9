package ssm_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestEvents checks the events of a parameter, a secret and a file, each created and then changed.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	const queue = "arn:aws:sqs:us-east-1:111111111111:events"
	w.Rule(t, dev, `{"source":["aws.ssm","aws.secretsmanager","aws.s3"]}`, queue, "")
	for range 2 {
		w.AWS.PutParameter(dev, "us-east-1", "/shop/db", "secret")
	}
	w.AWS.PutParameter(dev, "us-east-1", "plain", "secret")
	arn := w.AWS.PutSecret(dev, "us-east-1", "shop", "one")
	w.AWS.PutSecret(dev, "us-east-1", "shop", "two")
	w.AWS.PutFile(dev, "us-east-1", "shop-config", "a b/prod.env")
	bodies := w.Bodies(t, queue)
	event := func(detailType, source, resource, detail string) string {
		return `{"version":"0","id":"ID","detail-type":"` + detailType + `","source":"` + source + `",` +
			`"account":"111111111111","time":"2026-01-22T09:30:00Z","region":"us-east-1","resources":["` + resource +
			`"],"detail":` + detail + `}`
	}
	parameter := func(operation, name, resource string) string {
		return event("Parameter Store Change", "aws.ssm", "arn:aws:ssm:us-east-1:111111111111:parameter/"+resource,
			`{"name":"`+name+`","operation":"`+operation+`","type":"SecureString"}`)
	}
	want := []string{
		parameter("Create", "/shop/db", "shop/db"), parameter("Update", "/shop/db", "shop/db"),
		parameter("Create", "plain", "plain"),
		event("Secret Label Updated", "aws.secretsmanager", arn,
			`{"labelUpdated":"AWSCURRENT","name":"shop","versionId":"ID"}`),
	}
	if diff := cmp.Diff(want, bodies[:4]); diff != "" || len(bodies) != 5 {
		t.Errorf("%d events (-want +got):\n%s\n%s", len(bodies), diff, bodies[len(bodies)-1])
	}
}
