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
