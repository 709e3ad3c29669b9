package pipeline

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"deployer/internal/ecsdeploy"
	"deployer/internal/fault"
)

// replicated is the digest of an image that ECR does not have.
const replicated = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// replicationEvent returns the event of an image that ECR copied into dev's registry.
func replicationEvent(at time.Time, digest string) json.RawMessage {
	return fmt.Appendf(nil, `{"version":"0","id":"c1","detail-type":"ECR Replication Action","source":"aws.ecr",
		"account":"111111111111","time":%q,"region":"us-east-1",
		"resources":["arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"],
		"detail":{"result":"SUCCESS","repository-name":"myproject_backend","image-tag":"latest",
			"image-digest":%q,
			"action-type":"REPLICATE","source-account":"999999999999","source-region":"us-west-2"}}`,
		at.Format(time.RFC3339), digest)
}

// TestReplicaMissing checks what becomes of a replicated image that ECR does not
// have: the attempts that Lambda makes, those of a late delivery, and of a redrive.
func TestReplicaMissing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		age       time.Duration
		fails     bool // Lambda retries, and finally keeps the event
		attempts  int
		published string
	}{
		{"first attempt", 2 * time.Second, true, 1, ""},
		{"second attempt", time.Minute, true, 2, ""},
		{"last attempt", 3 * time.Minute, true, 3, "Deployment Failed"},
		{"first attempt of a delayed event", 30*time.Minute - time.Second, true, 1, ""},
		{"not replicated in time", 30 * time.Minute, false, 1, "Deployment Rejected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			p := f.function()
			var got Result
			var err error
			for range tt.attempts {
				ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r"})
				got, err = p.Handle(ctx, replicationEvent(f.clock.Now().Add(-tt.age), replicated))
			}
			if tt.fails != fault.IsUnavailable(err) || !tt.fails && got.Status != ecsdeploy.Rejected {
				t.Errorf("%+v, %v; want an outage: %t", got, err, tt.fails)
			}
			kinds := ""
			for _, o := range f.published(t) {
				kinds += o.Kind
			}
			if kinds != tt.published {
				t.Errorf("published %q, want %q", kinds, tt.published)
			}
		})
	}
}

// TestReplicaArrives checks that a retry deploys an image that ECR did not have at the
// first attempt.
func TestReplicaArrives(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	source := f.accounts["staging"] // the same content has the same digest in every registry
	digest, err := source.Push(t.Context(), "source", "v2", "latest")
	if err != nil {
		t.Fatal(err)
	}
	p, raw := f.function(), replicationEvent(f.clock.Now(), digest)
	want := `looking for digest "` + digest + `" in ECR repository "myproject_backend" of account 111111111111 in ` +
		`us-east-1: image not found: ImageNotFound: Requested image not found (ECR reported its replication at ` +
		`2026-01-22T11:00:00Z; the event is retried for three minutes, and then kept in the failure queue for ` +
		`deployer ` +
		`redrive)`
	if _, err := p.Handle(t.Context(), raw); err == nil || err.Error() != want {
		t.Errorf("error %v\nwant %s", err, want)
	}
	f.clock.Advance(time.Minute)
	if _, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "latest"); err != nil {
		t.Fatal(err)
	}
	got, err := p.Handle(t.Context(), raw)
	if err != nil || got.Status != ecsdeploy.Deployed || got.Deployments[0].Digest != digest {
		t.Errorf("%+v, %v; want %s deployed", got, err, digest)
	}
}
