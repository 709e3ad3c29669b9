package ecsdeploy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
)

// TestManyTags deploys over revisions with many tags of their own: all of them are
// kept, and so is what the journal cannot do without.
func TestManyTags(t *testing.T) {
	t.Parallel()
	const moved = "the service is being moved to the new revision"
	const lacks = "; the revision has too many tags of its own, so that its journal lacks "
	for _, tt := range []struct {
		own    int
		reason string
		absent []string
	}{
		{33, moved, nil},
		{34, moved + lacks + "deployer:reason", []string{"deployer:reason"}},
		{40, moved + lacks + "deployer:reason, deployer:actor, deployer:source, deployer:previous",
			[]string{"deployer:reason", "deployer:actor", "deployer:source", "deployer:previous"}},
	} {
		t.Run(fmt.Sprint(tt.own), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
				for i := range tt.own {
					in.Tags = append(in.Tags, types.Tag{Key: aws.String(fmt.Sprintf("k%d", i)), Value: aws.String("v")})
				}
			})
			got, _, err := w.deploy(t, target, order(w.digest))
			must(t, err)
			if got.Status != Deployed || got.Reason != tt.reason {
				t.Errorf("got  %s %s\nwant %s", got.Status, got.Reason, tt.reason)
			}
			after, err := w.Runs(t.Context(), "c", target.Service)
			must(t, err)
			for _, key := range tt.absent {
				if tagOf(after.Tags, key) != "" {
					t.Errorf("it has %s", key)
				}
			}
			for _, key := range []string{"k0", "deployer:event-id", "deployer:event-time", "deployer:digest",
				"deployer:tag", "deployer:service", "deployer:rule", fmt.Sprintf("k%d", tt.own-1)} {
				if tagOf(after.Tags, key) == "" {
					t.Errorf("it lacks %s", key)
				}
			}
			if len(after.Tags) > 46 {
				t.Errorf("%d tags leave too few for notes", len(after.Tags))
			}
		})
	}
}

// TestPlanMeasures checks that a dry run measures what would be sent.
func TestPlanMeasures(t *testing.T) {
	t.Parallel()
	plan := func(t *testing.T, size int) (Deployment, error) {
		t.Helper()
		w := newWorld(t, func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			in.ContainerDefinitions[0].Command = []string{strings.Repeat("x", size)}
		})
		d := New(ecsservice.New(w.Config))
		d.now = w.clock.Now
		state, err := d.Read(t.Context(), target)
		must(t, err)
		return d.Plan(t.Context(), state, order(w.digest))
	}
	if got, err := plan(t, 100); err != nil || strings.Contains(got.Reason, "bytes") {
		t.Errorf("small: %v %s", err, got.Reason)
	}
	if got, err := plan(t, 60000); err != nil || !strings.Contains(got.Reason, " of at most 65536 bytes") {
		t.Errorf("large: %v %s", err, got.Reason)
	}
	const want = `cloning task definition "` + arn + `p_service_web_dev:1": it has `
	if _, err := plan(t, 64800); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("too large: %v", err)
	}
}

// TestPlanMeasuresUnknownMembers checks that a dry run measures the members of a task
// definition that the SDK does not know: they are sent too.
func TestPlanMeasuresUnknownMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	large := strings.Replace(future, `"none":null`, `"none":"`+strings.Repeat("x", 64400)+`"`, 1)
	in := clone(ecsservice.Revision{TaskDefinition: before.TaskDefinition})
	_, err = w.ECS.RegisterTaskDefinition(t.Context(), in, sending([]byte(large)))
	must(t, err)
	d := New(ecsservice.New(w.Config))
	d.now = w.clock.Now
	state, err := d.Read(t.Context(), target)
	must(t, err)
	got, err := d.Plan(t.Context(), state, order(w.digest))
	const want = `cloning task definition "` + arn + `p_service_web_dev:2": it has `
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v %s, want %s … bytes", err, got.Reason, want)
	}
}
