package event

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

func TestPush(t *testing.T) {
	t.Parallel()
	env, err := environment.Parse("dev.yaml", []byte(`{project: myproject, env: dev, region: us-east-1, account_id: "111111111111",
		services: [{name: web-api}, {name: shared, ecr_config: {mode: use_existing, source_service_name: web-api}}],
		scheduled_tasks: [{name: nightly-report}]}`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, repository string
		want             []string
	}{
		{"backend", "myproject_backend", []string{"backend"}},
		{"one repository, two services", "myproject_service_web-api", []string{"web-api", "shared"}},
		{"task", "myproject_task_nightly-report", []string{"nightly-report"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Read([]byte(pushed("111111111111", "us-east-1", fmt.Sprintf(push, tt.repository, "latest"))), env,
				now)
			want := Reading{ID: "e2", Verdict: Accepted, Reason: "push of tag latest to " + tt.repository}
			for _, name := range tt.want {
				w, _ := env.Find(name, environment.Backend, environment.Service, environment.ScheduledTask)
				want.Requests = append(want.Requests,
					Request{Cause: Cause{ID: "e2", Time: time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC),
						Source: "aws.ecr"},
						Workload: w, Tag: "latest", Digest: digest, Push: true})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReplication checks that an image that ECR copied into the environment's
// registry deploys as a push does. There is no event of a push.
func TestReplication(t *testing.T) {
	t.Parallel()
	env := load(t, "dev")
	backend, _ := env.Find("backend", environment.Services...)
	got := Read([]byte(replicated("111111111111", "us-east-1", fmt.Sprintf(replication, "myproject_backend",
		"latest"))),
		env, now)
	want := Reading{ID: "e2", Verdict: Accepted,
		Reason: "replication of tag latest to myproject_backend from the registry of account 999999999999 in us-west-2",
		Requests: []Request{{Cause: Cause{ID: "e2", Time: time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC),
			Source: "aws.ecr"}, Workload: backend, Tag: "latest", Digest: digest, Push: true, Replicated: true}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMalformedPush(t *testing.T) {
	t.Parallel()
	env := load(t, "dev")
	tests := []struct{ name, raw, want string }{
		{"detail null", pushed("111111111111", "us-east-1", `null`),
			`the ECR event is malformed: "detail" is null, not a JSON object`},
		{"detail empty", pushed("111111111111", "us-east-1", `{}`), `the ECR event is malformed: "detail" is empty`},
		{"members of wrong kinds", pushed("111111111111", "us-east-1", `{"action-type":1,"image-tag":["a"]}`),
			`the ECR event is malformed: "action-type" is a number, not a string; ` +
				`"image-tag" is an array, not a string`},
		{"from the future", strings.Replace(pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "latest")), "2026-01-22", "2027-01-22", 1),
			`the ECR event is malformed: "time" is 2027-01-22T10:15:30Z, 8759h55m30s ahead of now; at most 5m0s is ` +
				`accepted, because events are ordered by time (check the sender's clock)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Read([]byte(tt.raw), env, now); got.Verdict != Rejected || got.Reason != tt.want {
				t.Errorf("%s: %s\nwant rejected: %s", got.Verdict, got.Reason, tt.want)
			}
		})
	}
}
