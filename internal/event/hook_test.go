package event

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// TestHook reads the events of lifecycle hooks, and siblings of them.
func TestHook(t *testing.T) {
	t.Parallel()
	prod := load(t, "prod")
	backend, _ := prod.Find("backend", environment.Services...)
	const deployment = "arn:aws:ecs:us-east-1:333333333333:service-deployment/myproject_cluster_prod/" +
		"myproject_service_prod/NCWGC2ZR-taawPAYrIaU5"
	at := time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)
	hook := Hook{ID: "ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw", Type: "PAUSE",
		Stage: "POST_TEST_TRAFFIC_SHIFT", Expires: at.Add(24 * time.Hour), ServiceDeployment: deployment}
	followed := func(step Step, changes ...func(*Hook)) Reading {
		h := hook
		for _, change := range changes {
			change(&h)
		}
		return Reading{Verdict: Followed, Reason: string(step) + " of backend", At: at,
			Rollout: Rollout{Workload: backend, Step: step, Hook: h}}
	}
	ignored := func(reason string) Reading { return Reading{Verdict: Ignored, Reason: reason} }
	unexpected := func(reason string) Reading {
		return Reading{Verdict: Ignored, Unexpected: true, Reason: reason}
	}
	replace := func(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }
	const cluster = "cluster/myproject_cluster_prod"
	for _, tt := range []struct {
		name, file string
		change     func(string) string
		want       Reading
	}{
		{"a pause", "awaiting-action", nil, followed(HookAwaiting)},
		{"timed out", "timed-out", nil, followed(HookTimedOut)},
		{"failed", "failed", nil, followed(HookFailed)},
		{"a function's hook that failed", "failed", replace(`"PAUSE"`, `"AWS_LAMBDA"`),
			followed(HookFailed, func(h *Hook) { h.Type = "AWS_LAMBDA" })},
		{"succeeded", "succeeded", nil, ignored(`the ECS hook event "HOOK_SUCCEEDED" needs no report`)},
		{"in progress", "succeeded", replace("SUCCEEDED", "IN_PROGRESS"),
			ignored(`the ECS hook event "HOOK_IN_PROGRESS" needs no report`)},
		{"another cluster", "other-cluster", nil, ignored(
			`the cluster "arn:aws:ecs:us-east-1:333333333333:cluster/other_cluster_prod" is not ` +
				`myproject_cluster_prod of prod`)},
		{"another account", "awaiting-action", replace(`"account": "333333333333"`, `"account": "222222222222"`),
			ignored(`the cluster "arn:aws:ecs:us-east-1:333333333333:` + cluster +
				`" is not myproject_cluster_prod of prod`)},
		{"an unknown service", "awaiting-action", replace("/myproject_service_prod", "/other"),
			ignored(`the service "other" is not a workload of myproject`)},
		{"no expiry", "awaiting-action", replace("expiresAt", "expires"),
			followed(HookAwaiting, func(h *Hook) { h.Expires = time.Time{} })},
		{"an expiry that cannot be one", "awaiting-action", replace(`"expiresAt": "2026-`, `"expiresAt": "1500-`),
			followed(HookAwaiting, func(h *Hook) { h.Expires = time.Time{} })},
		{"without serviceDeploymentArn", "awaiting-action", replace("serviceDeploymentArn", "arn"),
			followed(HookAwaiting)},
		{"without any service deployment", "awaiting-action", replace("service-deployment/", "other/"),
			unexpected(`the ECS hook event is malformed: "serviceDeploymentArn" is ` +
				`"arn:aws:ecs:us-east-1:333333333333:other/myproject_cluster_prod/myproject_service_prod/` +
				`NCWGC2ZR-taawPAYrIaU5"`)},
		{"no hookId", "awaiting-action", replace("hookId", "id"),
			unexpected(`the ECS hook event is malformed: it has no "hookId"`)},
		{"no detail", "awaiting-action", replace(`"detail":`, `"details":`),
			unexpected(`the ECS hook event is malformed: "detail" is empty`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile("../../events/ecs-hook-" + tt.file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			event := string(raw)
			if tt.change != nil {
				event = tt.change(event)
			}
			got := unclaimed(Read([]byte(event), prod, now))
			got.ID = ""
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
