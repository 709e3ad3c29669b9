package ecr_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const devQueue = "arn:aws:sqs:us-east-1:111111111111:events"

func TestImageEvents(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Rule(t, dev, `{"source":["aws.ecr"]}`, devQueue, "")
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	w.Clock.Advance(1500 * time.Millisecond)
	one := w.Push(t, dev, "myproject_backend", "one", "latest")
	w.Push(t, dev, "myproject_backend", "one", "git-abc123f")
	two := w.Push(t, dev, "myproject_backend", "two", "")
	w.Do(t, dev, "ecr:BatchDeleteImage", `{"repositoryName":"myproject_backend","imageIds":[{"imageTag":"latest"}]}`)
	event := func(action, digest, tag string) string {
		return `{"version":"0","id":"ID","detail-type":"ECR Image Action","source":"aws.ecr",` +
			`"account":"111111111111","time":"2026-01-22T09:30:01Z","region":"us-east-1","resources":[],` +
			`"detail":{"action-type":"` + action + `","image-digest":"` + digest + `",` + tag +
			`"repository-name":"myproject_backend","result":"SUCCESS"}}`
	}
	want := []string{
		event("PUSH", one, `"image-tag":"latest",`),
		event("PUSH", one, `"image-tag":"git-abc123f",`),
		event("PUSH", two, ``),
		event("DELETE", one, `"image-tag":"latest",`),
	}
	if diff := cmp.Diff(want, w.Bodies(t, devQueue)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestReplicationEvent checks that a copy sends the event of a replication, in the account and region of the copy, and
// no event of a push.
func TestReplicationEvent(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Rule(t, dev, `{"source":["aws.ecr"]}`, devQueue, "")
	w.Do(t, prod, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	digest := w.Push(t, prod, "myproject_backend", "one", "latest")
	got, err := w.AWS.Replicate(prod, "us-east-1", dev, "us-east-1", "myproject_backend", "latest")
	if err != nil || got != digest {
		t.Errorf("%s, %v; want %s", got, err, digest)
	}
	event := `{"version":"0","id":"ID","detail-type":"ECR Replication Action","source":"aws.ecr",` +
		`"account":"111111111111","time":"2026-01-22T09:30:00Z","region":"us-east-1",` +
		`"resources":["arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"],` +
		`"detail":{"action-type":"REPLICATE","image-digest":"` + digest + `","image-tag":"latest",` +
		`"repository-name":"myproject_backend","result":"SUCCESS","source-account":"333333333333",` +
		`"source-region":"us-east-1"}}`
	if diff := cmp.Diff([]string{event}, w.Bodies(t, devQueue)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if _, err := w.AWS.Replicate(prod, "us-east-1", dev, "us-east-1", "myproject_backend", "v9"); err == nil {
		t.Error("an image that does not exist is replicated")
	}
}
