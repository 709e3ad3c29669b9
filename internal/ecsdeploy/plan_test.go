package ecsdeploy

import (
	"testing"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/image"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := New(ecsservice.New(w.Config))
	state, err := d.Read(t.Context(), target)
	must(t, err)
	got, err := d.Plan(t.Context(), state, order(w.digest))
	must(t, err)
	image := host + "/p_service_web@" + w.digest
	want := Deployment{
		Service: "web", Status: Planned, Cluster: "c", ECSService: "p_service_web_dev", Image: image, Tag: "v1",
		Digest:                 w.digest,
		PreviousTaskDefinition: arn + "p_service_web_dev:1",
		Reason: "a new revision of p_service_web_dev, cloned from " + arn +
			"p_service_web_dev:1, with the image " + image,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	after, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	if aws.ToString(after.TaskDefinition.TaskDefinitionArn) != arn+"p_service_web_dev:1" {
		t.Errorf("the service runs %s", aws.ToString(after.TaskDefinition.TaskDefinitionArn))
	}
}

// TestPlanRunningImage checks that a new revision is only planned for the running image
// if the order is forced.
func TestPlanRunningImage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.event(t, "e", 1, "v2")
	_, _, err := w.deploy(t, target, o)
	must(t, err)
	d := New(ecsservice.New(w.Config))
	for force, want := range map[bool]Status{false: Unchanged, true: Planned} {
		state, err := d.Read(t.Context(), target)
		must(t, err)
		again := w.event(t, "again", 2, "v2")
		again.Force = force
		if got, err := d.Plan(t.Context(), state, again); err != nil || got.Status != want {
			t.Errorf("force %v: %+v, %v, want %s", force, got, err, want)
		}
	}
}

// TestReference checks how a container names its new image.
func TestReference(t *testing.T) {
	t.Parallel()
	const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	const fips, dualStack = "111111111111.dkr.ecr-fips.us-east-1.amazonaws.com", "111111111111.dkr-ecr.us-east-1.on.aws"
	tests := []struct {
		name, have string
		form       environment.ImageForm
		restores   string
		want       string
	}{
		{"by digest", host + "/p_service_web:v0", environment.ByDigest, "", host + "/p_service_web@" + digest},
		{"by tag", host + "/p_service_web:v0", environment.ByTag, "", host + "/p_service_web:v1"},
		{"a rollback has the digest", host + "/p_service_web:v0", environment.ByTag, arn + "f:1", host +
			"/p_service_web@" + digest},
		{"another registry's host is replaced", "222222222222.dkr.ecr.us-east-1.amazonaws.com/p_service_web:v0",
			environment.ByDigest, "", host + "/p_service_web@" + digest},
		{"FIPS host is kept", fips + "/p_service_web:v0", environment.ByDigest, "", fips + "/p_service_web@" + digest},
		{"dual-stack host is kept", dualStack + "/p_service_web:v0", environment.ByTag, "", dualStack +
			"/p_service_web:v1"},
		{"from Docker Hub", "nginx", environment.ByDigest, "", host + "/p_service_web@" + digest},
		{"an image that is no reference", "${image}", environment.ByDigest, "", host + "/p_service_web@" + digest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := Order{Image: image.Reference{Host: host, Repository: "p_service_web", Tag: "v1", Digest: digest},
				Form: tt.form, Restores: tt.restores}
			if got := o.reference(types.ContainerDefinition{Image: aws.String(tt.have)}).String(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
