package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

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
		{"a task", event("e4", `{"task":"nightly-report","tag":"v1"}`),
			ecsdeploy.Rejected, ecsdeploy.Rejected, 1, "Deployment Rejected", `"Rejected":1`},
		{"the schedule", scheduled, ecsdeploy.Unchanged, ecsdeploy.Ignored, 0, "", `"Reconciled":1`},
		{"a rollout that ECS does not list", rolledOut, ecsdeploy.Ignored, ecsdeploy.Ignored, 0, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			if _, err := f.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", "v1", "v1"); err != nil {
				t.Fatal(err)
			}
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

// TestRejectionPublished checks the outcome of a rejected event. A redrive of the
// event publishes none, and neither does a command.
func TestRejectionPublished(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, detail, service, tag string }{
		{"by the event", `{"service":"backend","tag":"git-"}`, "backend", "git-"},
		{"by ECR", `{"service":"backend","tag":"v9"}`, "backend", "v9"},
		{"of no service", `{"tag":"v1"}`, "", "v1"},
	} {
		f := newFixture(t, "prod")
		raw := deployEvent("e1", start.Add(time.Hour), "prod", tt.detail)
		got, err := f.function().Handle(t.Context(), raw)
		if err != nil || got.Status != ecsdeploy.Rejected {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			t.Fatal(err)
		}
		want := []publishedOutcome{{
			Kind: "Deployment Rejected", EventID: "e1", Service: tt.service, Tag: tt.tag,
			Cause: got.Reason, Event: compact.Bytes(),
		}}
		if diff := cmp.Diff(want, f.published(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		f.aws.ResetCalls()
		config := f.accounts["prod"].Config
		for _, p := range []*Pipeline{NewRedrive(f.env, config), New(f.env, config)} {
			p.now = f.clock.Now
			got, err := p.Handle(t.Context(), raw)
			if err != nil || got.Status != ecsdeploy.Rejected || len(f.published(t)) != 0 {
				t.Errorf("%s, not by the function: %+v, %v; published %v", tt.name, got, err, f.published(t))
			}
		}
	}
}

// TestFailurePublished checks that a failure is published once the event is as old
// as it is at Lambda's last attempt, and that it is an error at every attempt.
func TestFailurePublished(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		age       time.Duration
		published int
	}{{0, 0}, {lastAttemptAge - time.Second, 0}, {lastAttemptAge, 1}, {time.Hour, 1}} {
		f := newFixture(t, "prod")
		f.aws.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Error: emulator.AccessDenied("no")})
		raw := deployEvent("e1", start.Add(time.Hour), "prod", `{"service":"backend","tag":"v1"}`)
		f.clock.Advance(tt.age)
		_, err := f.function().Handle(t.Context(), raw)
		all := f.published(t)
		if err == nil || len(all) != tt.published {
			t.Errorf("%v old: %v; published %v, want %d", tt.age, err, all, tt.published)
		}
		for _, o := range all {
			if o.Kind != "Deployment Failed" || o.Cause != err.Error() {
				t.Errorf("%v old: %+v, want Deployment Failed because of %v", tt.age, o, err)
			}
		}
	}
}

// TestSupersededPublishedOnce checks that an event which a newer one outran is
// published as superseded, but not if it was deployed before: then it is a
// duplicate delivery.
func TestSupersededPublishedOnce(t *testing.T) {
	t.Parallel()
	first := time.Now() // the deployer compares the age of revisions with its own clock
	f := newFixtureAt(t, "prod", first.Add(-time.Hour))
	if _, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "v2"); err != nil {
		t.Fatal(err)
	}
	p := f.function()
	for _, tt := range []struct {
		id, tag   string
		before    time.Duration // of the first event
		status    ecsdeploy.Status
		published int
	}{
		{"e1", "v1", 0, ecsdeploy.Deployed, 0},
		{"e2", "v2", -time.Minute, ecsdeploy.Deployed, 0},
		{"late", "v1", time.Minute, ecsdeploy.Superseded, 1},
		{"e1", "v1", 0, ecsdeploy.Superseded, 0},
	} {
		f.aws.ResetCalls()
		detail := fmt.Sprintf(`{"service":"backend","tag":%q,"force":true}`, tt.tag)
		got, err := p.Handle(t.Context(), deployEvent(tt.id, first.Add(-tt.before), "prod", detail))
		if err != nil || got.Status != tt.status || len(f.published(t)) != tt.published {
			t.Errorf("%s: %+v, %v; published %v, want %s and %d", tt.id, got, err, f.published(t),
				tt.status, tt.published)
		}
	}
}

// TestNotPublished checks that an outcome which EventBridge does not accept makes
// the invocation fail, so that Lambda retries the event.
func TestNotPublished(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "prod")
	f.aws.Inject(emulator.Fault{Operation: "events:PutEvents", Error: emulator.AccessDenied("no")})
	_, err := f.function().Handle(t.Context(), json.RawMessage(`{`))
	if err == nil || !strings.HasPrefix(err.Error(), `publishing "Deployment Rejected"`) {
		t.Errorf("error %v", err)
	}
	if f.metrics.Len() != 0 {
		t.Errorf("an outcome that is not on the bus is counted: %s", &f.metrics)
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
	if _, err := p.run(t.Context(), f.env, Result{EventID: "e1"}, nil, requests); err == nil {
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

// TestAccount checks where the account of the environment comes from.
func TestAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "prod")
	unknown := *f.env
	unknown.AccountID = ""
	lambda := &lambdacontext.LambdaContext{InvokedFunctionArn: "arn:aws:lambda:us-east-1:999999999999:function:f"}
	invoked := lambdacontext.NewContext(t.Context(), lambda)
	for _, tt := range []struct {
		name string
		ctx  context.Context
		env  *environment.Environment
		want string
		sts  int
	}{
		{"the function's", invoked, f.env, "999999999999", 0},
		{"the file's", t.Context(), f.env, accounts.Prod, 0},
		{"the caller's", t.Context(), &unknown, accounts.Prod, 1},
	} {
		f.aws.ResetCalls()
		env, err := New(tt.env, f.accounts["prod"].Config).environmentOf(tt.ctx)
		if err != nil || env.AccountID != tt.want || len(f.aws.Calls()) != tt.sts {
			t.Errorf("%s: %v, %v after %d calls, want %s after %d", tt.name, env, err, len(f.aws.Calls()),
				tt.want, tt.sts)
		}
	}
}

// TestReserve checks the deadlines that leave time for the answer and for
// publishing.
func TestReserve(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "prod")
	for _, tt := range []struct {
		name       string
		left, want time.Duration // until the deadline; 0 for none
		p          *Pipeline
	}{
		{"long", time.Minute, time.Minute - notifyReserve, f.function()},
		{"short", 8 * time.Second, 6 * time.Second, f.function()},
		{"none", 0, 0, f.function()},
		{"a redrive", time.Minute, time.Minute - notifyReserve, NewRedrive(f.env, f.accounts["prod"].Config)},
		{"nothing to publish", time.Minute, time.Minute, New(f.env, f.accounts["prod"].Config)},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			if tt.left > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.left)
				defer cancel()
			}
			working, cancel := tt.p.withNotifyReserve(ctx)
			defer cancel()
			got := time.Duration(0)
			if end, ok := working.Deadline(); ok {
				got = time.Until(end)
			}
			if got != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		})
	}
}
