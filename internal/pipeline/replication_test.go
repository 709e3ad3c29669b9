package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/retry"
	"deployer/testbed/aws/emulator"
)

// replicated is the digest of an image that ECR does not have.
const replicated = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// replicationEvent returns the event of an image that ECR copied into dev's registry.
func replicationEvent(at time.Time, digest string) json.RawMessage {
	return fmt.Appendf(nil, `{"version":"0","id":"c1","detail-type":"ECR Replication Action","source":"aws.ecr",
		"account":"111111111111","time":%q,"region":"us-east-1",
		"resources":["arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"],
		"detail":{"result":"SUCCESS","repository-name":"myproject_backend","image-tag":"latest",
			"image-digest":%q,
			"action-type":"REPLICATE","source-account":"999999999999","source-region":"us-west-2"}}`,
		at.Format(time.RFC3339), digest)
}

// fakeScheduler records what is scheduled.
type fakeScheduler struct {
	messages []retry.Message
	err      error
}

func (f *fakeScheduler) Schedule(_ context.Context, m retry.Message, deadLetters string) error {
	want := "arn:aws:sqs:us-east-1:" + strings.Split(m.Function, ":")[4] + ":myproject_deployer_failed_"
	if f.err == nil && !strings.HasPrefix(deadLetters, want) {
		return fmt.Errorf("dead letters go to %s", deadLetters)
	}
	m.Kind, m.Schema = retry.Kind, retry.Schema
	f.messages = append(f.messages, m)
	return f.err
}

// waiting returns the function of the fixture with a scheduler that records.
func (f *fixture) waiting() (*Pipeline, *fakeScheduler) {
	p, s := f.function(), &fakeScheduler{}
	p.scheduler = s
	return p, s
}

// TestReplicaMissing checks what becomes of events whose image ECR does not have.
func TestReplicaMissing(t *testing.T) {
	t.Parallel()
	const deploy, dryRun = `{"service":"backend","tag":"v9"}`, `{"service":"backend","tag":"v9","dry_run":true}`
	for _, tt := range []struct {
		name, detail string // of a DEPLOY; "" for a replication
		replicated   bool
		age          time.Duration
		want         ecsdeploy.Status
		due          time.Duration // after the event; 0 if nothing is scheduled
		published    string
	}{
		{"at once", "", false, 2 * time.Second, ecsdeploy.Waiting, time.Minute, ""},
		{"just before a try", "", false, 50 * time.Second, ecsdeploy.Waiting, 2 * time.Minute, ""},
		{"at a try", "", false, 4 * time.Minute, ecsdeploy.Waiting, 5 * time.Minute, ""},
		{"later", "", false, 12 * time.Minute, ecsdeploy.Waiting, 15 * time.Minute, ""},
		{"before the last try", "", false, 26 * time.Minute, ecsdeploy.Waiting, 30 * time.Minute, ""},
		{"just before the end", "", false, 30*time.Minute - time.Second, ecsdeploy.Waiting, 31 * time.Minute, ""},
		{"at the end", "", false, 30 * time.Minute, ecsdeploy.Rejected, 0, "Deployment Rejected"},
		{"a clock behind", "", false, -2 * time.Minute, ecsdeploy.Waiting, time.Minute, ""},
		{"DEPLOY", deploy, false, 0, ecsdeploy.Rejected, 0, "Deployment Rejected"},
		{"DEPLOY, replicated", deploy, true, 0, ecsdeploy.Waiting, time.Minute, ""},
		{"DEPLOY, replicated, at the end", deploy, true, 30 * time.Minute, ecsdeploy.Rejected, 0,
			"Deployment Rejected"},
		{"dry run, replicated", dryRun, true, 0, ecsdeploy.Waiting, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			f.env.Replicated = tt.replicated
			p, s := f.waiting()
			at := f.clock.Now().Add(-tt.age)
			raw := replicationEvent(at, replicated)
			if tt.detail != "" {
				raw = deployEvent("d1", at, "dev", tt.detail)
			}
			got, err := p.Handle(t.Context(), raw)
			if err != nil || got.Status != tt.want || len(f.changes()) > 0 {
				t.Errorf("%+v, %v; want %s", got, err, tt.want)
			}
			kinds := ""
			for _, o := range f.published(t) {
				kinds += o.Kind
			}
			if kinds != tt.published {
				t.Errorf("published %q, want %q", kinds, tt.published)
			}
			if tt.due == 0 && len(s.messages) == 0 {
				return
			}
			want := retry.Message{Kind: retry.Kind, Schema: 1,
				Function: "arn:aws:lambda:us-east-1:111111111111:function:myproject_deployer_dev",
				Due:      at.Add(tt.due), Services: []string{"backend"}, Event: raw}
			if diff := cmp.Diff([]retry.Message{want}, s.messages); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReplicaTexts checks what people read of an image that is waited for, and of one
// that did not come.
func TestReplicaTexts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	p, s := f.waiting()
	const looking = `looking for digest "` + replicated + `" in ECR repository "myproject_backend" of account ` +
		`111111111111 in us-east-1: image not found`
	const push = ` (it was deleted, or a lifecycle policy expired it: choose another revision, or push the image again)`
	got, err := p.Handle(t.Context(), replicationEvent(f.clock.Now(), replicated))
	if want := "waiting for the image to be replicated, until 2026-01-22T11:30:00Z: " + looking; err != nil ||
		got.Reason != want {
		t.Errorf("%s, %v\nwant %s", got.Reason, err, want)
	}
	f.clock.Advance(30 * time.Minute)
	raw, err := json.Marshal(s.messages[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err = p.Handle(t.Context(), raw)
	if want := looking + "; ECR has not replicated it within 30 minutes" + push; err != nil || got.Reason != want ||
		got.Status != ecsdeploy.Rejected || got.EventID != "c1" {
		t.Errorf("%s, %v\nwant %s", got.Reason, err, want)
	}
}

// TestWithoutScheduler checks that commands, and functions of an earlier stack, do not
// wait.
func TestWithoutScheduler(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	got, err := f.function().RetryIn("", "").Handle(t.Context(), replicationEvent(f.clock.Now(), replicated))
	if err != nil || got.Status != ecsdeploy.Rejected {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestReplicaArrives hands an event to the function again that has waited: it deploys with
// the event's own id and time, and a duplicate of the message is harmless.
func TestReplicaArrives(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	source := f.accounts["staging"] // the same content has the same digest in every registry
	digest, err := source.Push(t.Context(), "source", "v2", "latest")
	if err != nil {
		t.Fatal(err)
	}
	p, s := f.waiting()
	if _, err := p.Handle(t.Context(), replicationEvent(f.clock.Now(), digest)); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(12 * time.Minute)
	if _, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "latest"); err != nil {
		t.Fatal(err)
	}
	raw := mustJSON(t, s.messages[0])
	for _, want := range []ecsdeploy.Status{ecsdeploy.Deployed, ecsdeploy.Unchanged} {
		got, err := p.Handle(t.Context(), raw)
		if err != nil || got.Status != want || got.EventID != "c1" || got.Deployments[0].Digest != digest {
			t.Errorf("%+v, %v; want %s %s", got, err, digest, want)
		}
	}
	if want := []string{"RegisterTaskDefinition", "UpdateService"}; !slices.Equal(f.changes(), want) {
		t.Errorf("changes %v, want %v", f.changes(), want)
	}
}

// TestSomeWait checks an event for three services, of which ECS cannot read one: Lambda
// retries the event for it, and the others wait.
func TestSomeWait(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	for i := range f.env.Workloads {
		f.env.Workloads[i].Repository = "myproject_backend"
	}
	f.env.Workloads[1].Pointer = environment.ECSService("no-such")
	p, s := f.waiting()
	event := replicationEvent(f.clock.Now(), replicated)
	_, err := p.Handle(t.Context(), event)
	want := []string{"backend", "worker"}
	if fault.NameOf(err) != "ServiceNotFound" || len(s.messages) != 1 || !slices.Equal(s.messages[0].Services, want) {
		t.Fatalf("%v, scheduled %+v; want %v", err, s.messages, want)
	}
	for services, statuses := range map[string]string{"backend worker": "waiting waiting", "worker": "waiting",
		"gone": ""} {
		m := s.messages[0]
		m.Services = strings.Fields(services)
		got, err := p.Handle(t.Context(), mustJSON(t, m))
		var all []string
		for _, d := range got.Deployments {
			all = append(all, string(d.Status))
		}
		if err != nil || strings.Join(all, " ") != statuses {
			t.Errorf("%s: %+v, %v; want %s", services, got, err, statuses)
		}
	}
}

func mustJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestRefusedMessages checks that what only looks like a waiting event is an error, so that
// it ends in the failure queue, and that nothing is read or changed for it.
func TestRefusedMessages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	p, _ := f.waiting()
	good := retry.Message{Kind: retry.Kind, Schema: 1, Function: f.env.FunctionARN(), Due: start,
		Services: []string{"backend"}, Event: replicationEvent(start, replicated)}
	for name, change := range map[string]func(*retry.Message){
		"a later schema":   func(m *retry.Message) { m.Schema = 2 },
		"another function": func(m *retry.Message) { m.Function += "x" },
		"no event":         func(m *retry.Message) { m.Event = nil },
		"an array":         func(m *retry.Message) { m.Event = json.RawMessage(`[]`) },
		"no services":      func(m *retry.Message) { m.Services = nil },
		"no time":          func(m *retry.Message) { m.Due = time.Time{} },
	} {
		m := good
		change(&m)
		_, err := p.Handle(t.Context(), mustJSON(t, m))
		if fault.NameOf(err) != "UnexpectedMessage" || len(f.aws.Calls()) > 0 {
			t.Errorf("%s: %v with %d calls", name, err, len(f.aws.Calls()))
		}
	}
	// A message within a message is no event.
	m := good
	m.Event = mustJSON(t, good)
	if got, err := p.Handle(t.Context(), mustJSON(t, m)); err != nil || got.Status != ecsdeploy.Rejected {
		t.Errorf("nested: %+v, %v", got, err)
	}
}

// TestScheduleFails returns the error of a schedule that could not be made, so that Lambda
// retries the event.
func TestScheduleFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	p, s := f.waiting()
	s.err = errors.New("denied")
	if _, err := p.Handle(t.Context(), replicationEvent(f.clock.Now(), replicated)); !errors.Is(err, s.err) {
		t.Errorf("error %v", err)
	}
}

// TestFailureAfterWaiting checks that a failure of an event that has waited is published at
// the last attempt of that try: Lambda retries each try by itself.
func TestFailureAfterWaiting(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	p, _ := f.waiting()
	f.aws.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Error: emulator.AccessDenied("no")})
	message := mustJSON(t, retry.Message{Kind: retry.Kind, Schema: 1, Function: f.env.FunctionARN(), Due: f.clock.Now(),
		Services: []string{"backend"}, Event: replicationEvent(f.clock.Now().Add(-20*time.Minute), replicated)})
	for attempt, want := range []int{0, 0, 1} {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "of the schedule"})
		if _, err := p.Handle(ctx, message); err == nil || len(f.published(t)) != want {
			t.Errorf("attempt %d: %v, published %v", attempt+1, err, f.published(t))
		}
	}
}
