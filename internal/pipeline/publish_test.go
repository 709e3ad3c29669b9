package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/testbed/aws/emulator"
)

// TestRejectionPublished checks the outcome of a rejected event. A redrive of the
// event publishes none, and neither does a command.
func TestRejectionPublished(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, detail, service, tag string }{
		{"by the event", `{"service":"backend","tag":"git-"}`, "backend", "git-"},
		{"by ECR", `{"service":"backend","tag":"v9"}`, "backend", "v9"},
		{"of no service", `{"tag":"v1"}`, "", "v1"},
		{"of a task", `{"task":"nightly-report","tag":"git-"}`, "task:nightly-report", "git-"},
		{"of a task as a service", `{"service":"task:nightly-report","tag":"git-"}`, "task:nightly-report", "git-"},
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

// TestFailurePublished checks that a failure is published at Lambda's last attempt,
// however old the event is, and that it is an error at every attempt.
func TestFailurePublished(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		age      time.Duration
		requests []string // the request id of each attempt
		want     []int    // how many outcomes each attempt publishes
	}{
		{"new", 0, []string{"r1", "r1", "r1"}, []int{0, 0, 1}},
		{"old at its first attempt", time.Hour, []string{"r1", "r1", "r1"}, []int{0, 0, 1}},
		{"delivered twice", 0, []string{"r1", "r2", "r1", "r2", "r2"}, []int{0, 0, 0, 0, 1}},
		{"no Lambda", time.Hour, []string{"", "", "", ""}, []int{0, 0, 0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "prod")
			f.aws.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Error: emulator.AccessDenied("no")})
			raw := deployEvent("e1", start.Add(time.Hour), "prod", `{"service":"backend","tag":"v1"}`)
			f.clock.Advance(tt.age)
			p := f.function()
			for i, id := range tt.requests {
				f.aws.ResetCalls()
				ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: id})
				_, err := p.Handle(ctx, raw)
				all := f.published(t)
				if err == nil || len(all) != tt.want[i] {
					t.Errorf("attempt %d: %v; published %v, want %d", i, err, all, tt.want[i])
				}
				for _, o := range all {
					if o.Kind != "Deployment Failed" || o.Cause != err.Error() {
						t.Errorf("attempt %d: %+v, want Deployment Failed because of %v", i, o, err)
					}
				}
			}
		})
	}
}

// TestAttemptsForgotten checks that an event that was handled is forgotten, and so are
// the oldest of very many.
func TestAttemptsForgotten(t *testing.T) {
	t.Parallel()
	var a attempts
	try := func(id string, err error) (last bool) {
		ctx, end := a.begin(lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: id}))
		end(err)
		return isLastAttempt(ctx)
	}
	failure := errors.New("no")
	got := []bool{try("a", failure), try("a", failure), try("a", nil), try("a", failure)}
	if diff := cmp.Diff([]bool{false, false, true, false}, got); diff != "" {
		t.Error(diff)
	}
	for i := range maxRemembered {
		try(fmt.Sprint(i), failure)
	}
	if len(a.failed) > maxRemembered || try("a", failure) {
		t.Errorf("%d are remembered", len(a.failed))
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
