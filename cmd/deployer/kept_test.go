package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/pipeline"
	"deployer/internal/redrive"
	"deployer/testbed/aws/emulator"
)

// kept returns what prod's failure queue holds: the outcome of a kept event, or the condition of Lambda's record.
func (s *scenario) kept(t *testing.T) (all []string) {
	t.Helper()
	for _, m := range s.aws.Queue("arn:aws:sqs:us-east-1:333333333333:myproject_deployer_failed_prod") {
		var message struct {
			Outcome        string
			RequestContext struct{ Condition string }
		}
		must(t, json.Unmarshal(m.Body, &message))
		all = append(all, message.Outcome+message.RequestContext.Condition)
	}
	return all
}

// TestForgedOutcomes puts outcomes on prod's bus that no deployer sent, as every principal with events:PutEvents can.
// None gets into a queue, from which an operator would deploy what it says.
func TestForgedOutcomes(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	event := deployEvent("action.production", `{"service":"backend","tag":"v9"}`)
	for _, kind := range []string{"Deployment Rejected", "Deployment Failed"} {
		detail := fmt.Sprintf(`{"schema":1,"project":"myproject","environment":"prod","service":"backend",
			"revision":{"after":"arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:3"},
			"event":%s,"message":"no"}`, event)
		out, err := eventbridge.NewFromConfig(s.prod.Config).PutEvents(t.Context(), &eventbridge.PutEventsInput{
			Entries: []types.PutEventsRequestEntry{{Source: aws.String("deployer"), DetailType: aws.String(kind),
				Detail: aws.String(detail)}}})
		if err != nil || out.FailedEntryCount != 0 {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	must(t, s.cloud.Settle(t.Context()))
	if kept := s.kept(t); len(kept) > 0 {
		t.Errorf("the failure queue has %v", kept)
	}
}

// TestKeepingFails refuses the messages to the failure queue: the event is retried, and reported and kept twice rather
// than never. What can never be sent is kept by Lambda.
func TestKeepingFails(t *testing.T) {
	t.Parallel()
	rejected := func(t *testing.T, s *scenario) { s.send(t, `{"service":"no-such","tag":"v1"}`) }
	twice := func(kind string) []string { return []string{kind, kind} }
	for _, tt := range []struct {
		name      string
		refused   int
		act       func(*testing.T, *scenario)
		published []string
		kept      []string
	}{
		{"a rejection, once", 1, rejected, twice("Deployment Rejected"), []string{"Deployment Rejected"}},
		{"a rejection, at every attempt", 3, rejected, append(twice("Deployment Rejected"), "Deployment Rejected"),
			[]string{"RetriesExhausted"}},
		{"a failed rollout, once", 1, rolledBack, append([]string{"Deployment Started"}, twice("Deployment Failed")...),
			[]string{"Deployment Failed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			s.aws.Inject(emulator.Fault{Operation: "sqs:SendMessage", Times: tt.refused,
				Error: emulator.AccessDenied("no")})
			tt.act(t, s)
			var published []string
			for _, e := range s.outcomes(t) {
				published = append(published, e.DetailType)
			}
			if diff := cmp.Diff(tt.published, published); diff != "" {
				t.Errorf("published (-want +got):\n%s\n%s", diff, s.logs)
			}
			if diff := cmp.Diff(tt.kept, s.kept(t)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

// TestKeptIsRedriven runs events again that the function and Lambda kept, with an administrator's permissions: what the
// stack's queue holds is recognized as the function's own.
func TestKeptIsRedriven(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.send(t, deployTo("v7")) // rejected: it is not pushed yet
	s.aws.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Error: emulator.AccessDenied("no")})
	s.send(t, `{"service":"web-api","tag":"v1","force":true}`) // fails at every attempt
	s.aws.ClearFaults()
	if diff := cmp.Diff([]string{"Deployment Rejected", "RetriesExhausted"}, s.kept(t)); diff != "" {
		t.Fatal(diff)
	}
	rolledBack(t, s)
	queued := []string{"Deployment Rejected", "RetriesExhausted", "Deployment Failed"}
	if diff := cmp.Diff(queued, s.kept(t)); diff != "" {
		t.Fatal(diff)
	}
	s.push(t, "v7")
	env, err := environment.Load("../../examples/centralized-dev-ecr/prod.yaml")
	must(t, err)
	var got []string
	var failed string // the message of the failed rollout
	run := func(remove ...string) {
		got = nil
		must(t, redrive.Run(t.Context(), s.prod.Config, env, pipeline.NewRedrive(env, s.prod.Config), redrive.Options{
			QueueURL: env.FailedQueueURL(), Discard: remove,
			Found: func(i redrive.Item) { got = append(got, string(i.Form)+": "+i.Service+" "+i.Tag+" "+i.Actor) },
			Report: func(r redrive.Report) {
				line := fmt.Sprint(r.Result.Status, " ", r.Deleted, " ", r.Err)
				got = append(got, strings.ReplaceAll(line, r.EventID, "ID"))
				if r.Ended {
					failed = r.MessageID
				}
			},
		}))
	}
	run()
	want := []string{"kept event: backend v7 ada", "deployed true <nil>", "on-failure record: web-api v1 ",
		"deployed true <nil>", "kept event: backend broken ada", "ignored false event ID ignored: " +
			"the rollout of this event failed before, and is not repeated; to try again: deployer send -f " + env.File +
			" backend broken"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Deployment Failed"}, s.kept(t)); diff != "" {
		t.Error(diff)
	}
	run(failed)
	want = []string{"kept event: backend broken ada", " true <nil>"}
	if diff := cmp.Diff(want, got); diff != "" || len(s.kept(t)) > 0 {
		t.Errorf("%v left (-want +got):\n%s", s.kept(t), diff)
	}
}

// TestWithoutQueue starts the function of a stack of before: it says that it keeps nothing, and works.
func TestWithoutQueue(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "prod", nil)
	f.invoke(t, deployEventAt(time.Now(), "e1", "action.production", `{"service":"no-such","tag":"v1"}`))
	const message = "rejected events and those of failed rollouts are not kept: DEPLOYER_FAILED_QUEUE is not set"
	if lines := f.logs.lines(t, message); len(lines) != 1 || lines[0]["level"] != "WARN" {
		t.Errorf("%v in %s", lines, f.logs)
	}
}
