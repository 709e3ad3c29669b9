package ecsdeploy

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := New(w.Config)
	state, err := d.Read(t.Context(), target)
	must(t, err)
	got, err := d.Plan(t.Context(), state, order(w.digest))
	must(t, err)
	image := host + "/p_service_web@" + w.digest
	want := Deployment{
		Service: "web", Status: Planned, Cluster: "c", ECSService: "p_service_web_dev", Image: image, Tag: "v1", Digest: w.digest,
		PreviousTaskDefinition: arn + "p_service_web_dev:1",
		Reason:                 "a new revision of p_service_web_dev, cloned from " + arn + "p_service_web_dev:1, with the image " + image,
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

// TestPlanOfWhatRuns holds that only by force a new revision is planned for an
// image that runs already.
func TestPlanOfWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.event(t, "e", 1, "v2")
	_, _, err := w.deploy(t, target, o)
	must(t, err)
	d := New(w.Config)
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
