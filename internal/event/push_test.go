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
	env, err := environment.Parse("dev.yaml", []byte(`{project: myproject, env: dev, region: us-east-1, account_id: `+
		`"111111111111",
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

// TestMalformedPush checks that what AWS sends is never rejected: no sender could correct
// it. It is worth a warning.
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
			`the ECR event is malformed: "time" is 2027-01-22T10:15:30Z, 364 days ahead of now; at most 5m0s is ` +
				`accepted, because events are ordered by time (check the sender's clock)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := Reading{ID: "e2", Verdict: Ignored, Unexpected: true, Reason: tt.want}
			if diff := cmp.Diff(want, unclaimed(Read([]byte(tt.raw), env, now))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOptedOut checks which pushes deploy workloads that opted out, are disabled, are
// production, or have their image named by hand.
func TestOptedOut(t *testing.T) {
	t.Parallel()
	tests := []struct{ env, account, repository, want string }{
		{"opt-out", "111122223333", "orchard_service_api", "push of tag latest to orchard_service_api: api"},
		{"opt-out", "111122223333", "orchard_service_billing",
			"no push deploys billing (services[1].auto_deploy is false); send a DEPLOY event with \"service\": " +
				"\"billing\""},
		{"opt-out", "111122223333", "orchard_backend",
			"no push deploys backend (workload.backend_auto_deploy is false); send a DEPLOY event with \"service\": " +
				"\"backend\""},
		{"opt-out", "111122223333", "orchard_task_cleanup",
			"no push deploys task:cleanup (scheduled_tasks[0].auto_deploy is false); send a DEPLOY event with " +
				"\"task\": \"cleanup\""},
		{"opt-out", "111122223333", "orchard_service_parked",
			`the push to "orchard_service_parked" is for parked, which is disabled (services[2].enabled is false)`},
		{"service-named-backend", "111122223333", "orchard_backend", "push of tag latest to orchard_backend: backend"},
		{"service-named-backend", "111122223333", "orchard_service_backend",
			"push of tag latest to orchard_service_backend: service:backend"},
		{"production-by-name", "111122223333", "orchard_service_api",
			`tag "latest" does not deploy eu-live: auto_deploy is empty, so no push does; send a DEPLOY event`},
		{"ecr-image-by-hand", "111122223333", "orchard_service_api", "push of tag latest to orchard_service_api: api"},
		{"ecr-image-by-hand", "444455556666", "orchard_service_api", `the push to "orchard_service_api" was to the ` +
			`registry of account "444455556666" in "us-east-1"; staging runs images from account 111122223333 in ` +
			`us-east-1 (services[0].docker_image names it)`},
	}
	for _, tt := range tests {
		t.Run(tt.env+" "+tt.repository+" "+tt.account, func(t *testing.T) {
			t.Parallel()
			env := field(t, tt.env)
			raw := pushed(tt.account, env.Region, fmt.Sprintf(push, tt.repository, "latest"))
			r := Read([]byte(raw), env, now)
			got := r.Reason
			for _, request := range r.Requests {
				got += ": " + request.Workload.Name
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestOneOptedOut checks that a push deploys those of a repository's workloads that did
// not opt out.
func TestOneOptedOut(t *testing.T) {
	t.Parallel()
	const image = "docker_image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/shop"
	env, err := environment.Parse("dev.yaml", []byte("project: p\nenv: dev\nregion: us-east-1\nservices: [{name: a, "+
		image+"}, {name: b, "+image+", auto_deploy: false}, {name: c, "+image+"}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, request := range Read([]byte(pushed("111122223333", "us-east-1", fmt.Sprintf(push, "shop", "latest"))), env,
		now).Requests {
		got = append(got, request.Workload.Name)
	}
	if strings.Join(got, " ") != "a c" {
		t.Errorf("the push deploys %v", got)
	}
}

// TestNextStepOfOptedOut checks that the DEPLOY which an ignored push advises is accepted.
func TestNextStepOfOptedOut(t *testing.T) {
	t.Parallel()
	const image = "docker_image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/shop, auto_deploy: false"
	env, err := environment.Parse("dev.yaml", []byte("project: p\nenv: dev\nregion: us-east-1\nservices: [{name: a, "+
		image+"}]\nscheduled_tasks: [{name: a, schedule: rate(1 day), "+image+"}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := Read([]byte(pushed("111122223333", "us-east-1", fmt.Sprintf(push, "shop", "latest"))), env, now)
	want := "no push deploys a (services[0].auto_deploy is false), task:a (scheduled_tasks[0].auto_deploy is false); " +
		"send a DEPLOY event with \"services\": [\"a\", \"task:a\"]"
	if diff := cmp.Diff(want, r.Reason); diff != "" {
		t.Error(diff)
	}
	_, member, _ := strings.Cut(r.Reason, " event with ")
	r = Read([]byte(`{"version":"0","id":"e1","detail-type":"DEPLOY","source":"action.dev","account":"111122223333",`+
		`"time":"2026-01-22T10:15:30Z","region":"us-east-1","resources":[],"detail":{"project":"p","tag":"v1",`+
		member+`}}`), env, now)
	if diff := cmp.Diff("DEPLOY of a, task:a with tag v1 from action.dev", r.Reason); diff != "" {
		t.Error(diff)
	}
}

// unclaimed returns a reading without the claims of an ignored event, which
// TestIgnoredClaims checks.
func unclaimed(reading Reading) Reading {
	if reading.Verdict == Ignored {
		reading.Claims = Claims{}
	}
	return reading
}

// TestIgnoredClaims checks what an ignored event is about: the function's log has it, by
// which `deployer events` finds the pushes of a service.
func TestIgnoredClaims(t *testing.T) {
	t.Parallel()
	const service, cluster = "arn:aws:ecs:us-east-1:333333333333:service/", "myproject_cluster_prod/"
	hook := func(service string) string {
		return `{"id":"e4","source":"aws.ecs","detail-type":"ECS Hook State Change","account":"333333333333",` +
			`"resources":[],"detail":{"eventName":"HOOK_SUCCEEDED","serviceArn":"` + service + `"}}`
	}
	for _, tt := range []struct {
		name, env, raw                   string
		source, service, tag, repository string
	}{
		{"a tag that does not deploy", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_service_worker", "v9")), "aws.ecr", "worker", "v9",
			"myproject_service_worker"},
		{"where no push deploys", "prod", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "latest")), "aws.ecr", "backend", "latest", "myproject_backend"},
		{"of a task", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_task_nightly-report", "v9")), "aws.ecr", "task:nightly-report", "v9",
			"myproject_task_nightly-report"},
		{"to another registry", "dev", pushed("999999999999", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "latest")), "aws.ecr", "backend", "latest", "myproject_backend"},
		{"a replication", "dev", replicated("111111111111", "us-east-1",
			fmt.Sprintf(replication, "myproject_backend", "v9")), "aws.ecr", "backend", "v9", "myproject_backend"},
		{"to another's repository", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend2", "latest")), "aws.ecr", "", "latest", "myproject_backend2"},
		{"a malformed push", "dev", pushed("111111111111", "us-east-1", `{"repository-name":5,"image-tag":["a"]}`),
			"aws.ecr", "", "", ""},
		{"a push that names a service", "dev", pushed("111111111111", "us-east-1",
			`{"action-type":"DELETE","repository-name":"other","service":"backend"}`), "aws.ecr", "", "", "other"},
		{"a DEPLOY of another environment", "prod", deployment("action.staging", `{"service":"worker","tag":"a"}`),
			"action.staging", "worker", "a", ""},
		{"a DEPLOY of several", "prod", deployment("action.staging", `{"services":["worker","backend"],"tag":"a"}`),
			"action.staging", "worker, backend", "a", ""},
		{"a step of a rollout", "prod", rolled(change, "333333333333", cluster+"myproject_service_worker_prod",
			`{"eventName":"SERVICE_STEADY_STATE"}`), "aws.ecs", "worker", "", ""},
		{"a step of another's", "prod", rolled(change, "333333333333", cluster+"other",
			`{"eventName":"SERVICE_STEADY_STATE"}`), "aws.ecs", "", "", ""},
		{"a hook", "prod", hook(service + cluster + "myproject_service_worker_prod"), "aws.ecs", "worker", "", ""},
		{"another's hook", "prod", hook(service + cluster + "other"), "aws.ecs", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Read([]byte(tt.raw), load(t, tt.env), now)
			want := Claims{Cause: got.Claims.Cause, Service: tt.service, Tag: tt.tag, Repository: tt.repository}
			want.Cause.Source = tt.source
			if diff := cmp.Diff(want, got.Claims); diff != "" || got.Verdict != Ignored {
				t.Errorf("%s (-want +got):\n%s", got.Verdict, diff)
			}
		})
	}
}
