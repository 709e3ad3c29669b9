package pipeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/testbed/cloud"
)

// TestAllOfMany checks how many workloads an event for all that have the tag may have: those that do not have it do
// not count.
func TestAllOfMany(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		have, lack int
		want       string // the reason, "" if none is rejected
	}{
		{event.MaxServices, 3, ""},
		{event.MaxServices + 1, 3, `the repositories of 51 workloads have the tag "v2", and one event deploys at ` +
			`most 50: name them in "services", in several events`},
		{0, 2, `no repository has the tag "v2": r0, r1`},
	} {
		if got := limited(tt.have, tt.lack, event.Request{Tag: "v2", Optional: true}); got != tt.want {
			t.Errorf("%d have it: %s, want %s", tt.have, got, tt.want)
		}
	}
	if got := limited(0, 2, event.Request{Redeploy: true, Optional: true}); got != "no service and no task runs an "+
		"image from ECR" {
		t.Error(got)
	}
}

// limited returns the reason for which all of the requests of an event for all workloads are rejected, "" if none is.
func limited(have, lack int, request event.Request) string {
	var all together
	for i := range lack + have {
		request.Workload = environment.Workload{Repository: fmt.Sprint("r", i)}
		one := &prepared{ready: true, request: request}
		if i < lack {
			one = one.ended(ecsdeploy.Deployment{Status: ecsdeploy.Ignored}, nil)
		}
		all.all = append(all.all, one)
	}
	all.limit()
	reason, rejected := "", 0
	for _, one := range all.all {
		if one.isRejected() {
			reason, rejected = one.result.Reason, rejected+1
		}
	}
	if rejected > 0 && rejected < len(all.all) {
		return fmt.Sprintf("only %d are rejected: %s", rejected, reason)
	}
	return reason
}

// TestRedeployAll redeploys all of an environment in which one service runs an image from outside ECR, as before its
// first deployment. It is skipped, unless the event names it.
func TestRedeployAll(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	if err := cloud.CreateTasks(t.Context(), f.accounts); err != nil {
		t.Fatal(err)
	}
	const worker, nginx = "myproject_service_worker_dev", "public.ecr.aws/nginx/nginx:1.27"
	f.revise(t, worker, func(d *types.ContainerDefinition) { d.Image = aws.String(nginx) })
	f.pass(10 * time.Minute)
	reason := `redeploying service "` + worker + `", which runs revision 2: its image "` + nginx + `" is not in ECR, ` +
		`so the deployer cannot check that it exists (deploy a tag instead: deployer deploy -f ` + f.env.File +
		` worker TAG)`
	held := "not deployed: the event deploys all of its services or none, and worker cannot be deployed"
	for i, tt := range []struct {
		services string
		want     []string
	}{
		{`"*"`, []string{"backend deployed", "web-api deployed", "worker ignored: " + reason,
			"task:nightly-report deployed"}},
		{`["worker","backend"]`, []string{"worker rejected: " + reason, "backend rejected: " + held}},
	} {
		got := f.handle(t, string(deployEvent(fmt.Sprint("e", i), f.clock.Now(), "dev",
			`{"services":`+tt.services+`,"action":"redeploy","force":true}`)))
		var lines []string
		for _, d := range got.Deployments {
			line := d.Service + " " + string(d.Status)
			if d.Status != ecsdeploy.Deployed {
				line += ": " + d.Reason
			}
			lines = append(lines, line)
		}
		if diff := cmp.Diff(tt.want, lines); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.services, diff)
		}
		f.pass(10 * time.Minute)
	}
}
