package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

var start = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)

// fixture is the project's AWS on a clock of its own, and one of its environments.
type fixture struct {
	aws      *emulator.Emulator
	clock    *emulator.Clock
	accounts map[string]*accounts.Account
	env      *environment.Environment
	metrics  bytes.Buffer
}

func newFixture(t *testing.T, env string) *fixture {
	t.Helper()
	return newFixtureAt(t, env, start)
}

func newFixtureAt(t *testing.T, env string, at time.Time) *fixture {
	t.Helper()
	f := &fixture{clock: emulator.NewClock(at)}
	var url string
	f.aws, url = emulatortest.Start(t, emulator.Options{Clock: f.clock.Now})
	var err error
	if f.accounts, err = cloud.CentralizedDev(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if f.env, err = environment.Load("../../examples/centralized-dev-ecr/" + env + ".yaml"); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Hour)
	f.aws.ResetCalls()
	return f
}

// function returns the pipeline of the environment's function, on the fixture's clock.
func (f *fixture) function() *Pipeline {
	p := NewFunction(f.env, f.accounts[f.env.Name].Config, &f.metrics)
	p.now = f.clock.Now
	return p
}

// deployEvent returns a DEPLOY event for prod or dev, sent at the given time.
func deployEvent(id string, at time.Time, env, detail string) json.RawMessage {
	source := map[string]string{"prod": "action.production", "dev": "action.dev"}[env]
	return fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":"DEPLOY","source":%q,"account":"111111111111",
		"time":%q,"region":"us-east-1","resources":[],"detail":%s}`, id, source, at.Format(time.RFC3339), detail)
}

const (
	scheduled = `{"version":"0","id":"s1","detail-type":"Scheduled Event","source":"aws.events",
		"account":"111111111111","time":"2026-01-22T10:15:00Z","region":"us-east-1","resources":[],"detail":{}}`
	rolledOut = `{"version":"0","id":"r1","detail-type":"ECS Deployment State Change","source":"aws.ecs",
		"account":"111111111111","time":"2026-01-22T10:15:00Z","region":"us-east-1",
		"resources":["arn:aws:ecs:us-east-1:111111111111:service/myproject_cluster_dev/myproject_service_dev"],
		"detail":{"eventName":"SERVICE_DEPLOYMENT_COMPLETED","deploymentId":"ecs-svc/1"}}`
)

// published returns the outcomes that were put on a bus, each as its detail-type
// and its detail.
func (f *fixture) published(t *testing.T) (all []publishedOutcome) {
	t.Helper()
	for _, c := range f.aws.Calls() {
		if c.Operation != "PutEvents" {
			continue
		}
		var in struct {
			Entries []struct{ DetailType, Detail string }
		}
		if err := json.Unmarshal(c.Body, &in); err != nil {
			t.Fatal(err)
		}
		for _, e := range in.Entries {
			o := publishedOutcome{Kind: e.DetailType}
			if err := json.Unmarshal([]byte(e.Detail), &o); err != nil {
				t.Fatal(err)
			}
			all = append(all, o)
		}
	}
	return all
}

type publishedOutcome struct {
	Kind    string          `json:"-"`
	EventID string          `json:"event_id"`
	Service string          `json:"service"`
	Tag     string          `json:"tag"`
	Cause   string          `json:"cause"`
	Event   json.RawMessage `json:"event"`
}

// changes returns the calls that changed something of ECS.
func (f *fixture) changes() (all []string) {
	for _, c := range f.aws.Calls() {
		if c.Operation == "RegisterTaskDefinition" || c.Operation == "UpdateService" || c.Operation == "TagResource" {
			all = append(all, c.Operation)
		}
	}
	return all
}

// TestRoutes checks the result of an event of each verdict, for the function and
// for a preview, and what each publishes and counts.
func TestRoutes(t *testing.T) {
	t.Parallel()
	event := func(id, detail string) string { return string(deployEvent(id, start.Add(time.Hour), "dev", detail)) }
	for _, tt := range []struct {
		name, raw       string
		status, preview ecsdeploy.Status
		deployments     int
		published       string
		metric          string
	}{
		{"not for the environment", `{"id":"x","detail-type":"Other","source":"aws.s3"}`,
			ecsdeploy.Ignored, ecsdeploy.Ignored, 0, "", `"Ignored":1`},
		{"not JSON", `{`, ecsdeploy.Rejected, ecsdeploy.Rejected, 0, "Deployment Rejected", `"Rejected":1`},
		{"a tag that no image has", event("e1", `{"service":"backend","tag":"v9"}`),
			ecsdeploy.Rejected, ecsdeploy.Rejected, 1, "Deployment Rejected", `"Rejected":1`},
		{"a deployment", event("e2", `{"service":"backend","tag":"v1","force":true}`),
			ecsdeploy.Deployed, ecsdeploy.Planned, 1, "", ""},
		{"a dry run", event("e3", `{"service":"backend","tag":"v1","force":true,"dry_run":true}`),
			ecsdeploy.Planned, ecsdeploy.Planned, 1, "", ""},
		{"a task", event("e4", `{"task":"nightly-report","tag":"v2"}`),
			ecsdeploy.Deployed, ecsdeploy.Planned, 1, "Deployment Succeeded",
			`"Outcome":"Succeeded"`},
		{"the schedule", scheduled, ecsdeploy.Unchanged, ecsdeploy.Ignored, 0, "", `"Reconciled":1`},
		{"a rollout that ECS does not list", rolledOut, ecsdeploy.Ignored, ecsdeploy.Ignored, 0, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			if err := cloud.CreateTasks(t.Context(), f.accounts); err != nil {
				t.Fatal(err)
			}
			if _, err := f.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", "v2", "v2"); err != nil {
				t.Fatal(err)
			}
			f.clock.Advance(time.Hour)
			f.aws.ResetCalls()
			got, err := New(f.env, f.accounts["dev"].Config).Preview(t.Context(), json.RawMessage(tt.raw))
			if err != nil || got.Status != tt.preview || len(f.changes()) != 0 || len(f.published(t)) != 0 {
				t.Errorf("preview: %+v, %v; changed with %v; published %v", got, err, f.changes(), f.published(t))
			}
			got, err = f.function().Handle(t.Context(), json.RawMessage(tt.raw))
			if err != nil || got.Status != tt.status || len(got.Deployments) != tt.deployments ||
				got.Deployments == nil {
				t.Errorf("%+v, %v; want status %s of %d deployments", got, err, tt.status, tt.deployments)
			}
			kinds := ""
			for _, o := range f.published(t) {
				kinds += o.Kind
			}
			if kinds != tt.published {
				t.Errorf("published %q, want %q", kinds, tt.published)
			}
			metrics := f.metrics.String()
			if (tt.metric == "") != (metrics == "") || !strings.Contains(metrics, tt.metric) {
				t.Errorf("metrics %q, want %s", metrics, tt.metric)
			}
		})
	}
}

// TestReconcileRunsRequests checks that the pipeline deploys what the search for
// lost pushes returns.
func TestReconcileRunsRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	digest, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "latest")
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.function().Handle(t.Context(), json.RawMessage(scheduled))
	if err != nil || got.EventID != "s1" || got.Status != ecsdeploy.Deployed || len(got.Deployments) != 1 ||
		got.Deployments[0].Digest != digest {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRunAll checks that a request which fails does not keep the others from being
// carried out.
func TestRunAll(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	var requests []event.Request
	for _, w := range f.env.Workloads {
		cause := event.Cause{ID: "e1", Time: start.Add(time.Hour), Source: "action.dev"}
		requests = append(requests, event.Request{Cause: cause, Workload: w, Tag: "v1", Force: true})
	}
	f.aws.Inject(emulator.Fault{Operation: "ecs:UpdateService", Error: emulator.AccessDenied("no"), Times: 1})
	p := f.function()
	if _, err := p.run(t.Context(), f.env, Result{EventID: "e1"}, delivery{}, requests); err == nil {
		t.Error("it succeeds")
	}
	updates := 0
	for _, c := range f.aws.Calls() {
		if c.Operation == "UpdateService" && c.Error == "" {
			updates++
		}
	}
	if updates != 2 {
		t.Errorf("%d services are updated, want 2 of 3", updates)
	}
}
