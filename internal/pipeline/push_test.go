package pipeline

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"deployer/internal/ecsdeploy"
)

// pushEvent returns the event of a push to dev's registry.
func pushEvent(id string, at time.Time, tag, digest string) json.RawMessage {
	return fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":"ECR Image Action","source":"aws.ecr",
		"account":"111111111111","time":%q,"region":"us-east-1","resources":[],
		"detail":{"result":"SUCCESS","repository-name":"myproject_backend","image-tag":%q,"image-digest":%q,
			"action-type":"PUSH"}}`, id, at.Format(time.RFC3339), tag, digest)
}

// TestPushDeploysItsDigest checks that the event of a push deploys the image that was
// pushed, also if it comes after the tag was moved: it is answered as superseded, and
// does not take the newer image for its own.
func TestPushDeploysItsDigest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	var digests []string
	for _, content := range []string{"one", "two"} {
		digest, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", content, "latest")
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	at := f.clock.Now()
	for _, tt := range []struct {
		name   string
		event  json.RawMessage
		status ecsdeploy.Status
		digest string
	}{
		{"the first push, after the second", pushEvent("p1", at, "latest", digests[0]), ecsdeploy.Deployed, digests[0]},
		{"the second", pushEvent("p2", at.Add(time.Second), "latest", digests[1]), ecsdeploy.Deployed, digests[1]},
		{"the first again", pushEvent("p0", at, "latest", digests[0]), ecsdeploy.Superseded, ""},
	} {
		f.clock.Advance(time.Minute)
		got, err := f.function().Handle(t.Context(), tt.event)
		if err != nil || len(got.Deployments) != 1 {
			t.Fatalf("%s: %+v, %v", tt.name, got, err)
		}
		if d := got.Deployments[0]; d.Status != tt.status || d.Digest != tt.digest {
			t.Errorf("%s: %s of %q, want %s of %q", tt.name, d.Status, d.Digest, tt.status, tt.digest)
		}
	}
}
