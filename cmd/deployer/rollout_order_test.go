package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// held returns the events of a play that were for an environment's function,
// which does not get them.
func (s *scenario) intercept(t *testing.T, env string, play func()) (events [][]byte) {
	t.Helper()
	function := "arn:aws:lambda:us-east-1:" + s.cloud.Accounts[env].ID + ":function:myproject_deployer_" + env
	var mu sync.Mutex
	s.aws.HandleLambda(function, func(_ context.Context, event []byte) error {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, event)
		return nil
	})
	play()
	must(t, s.aws.Drain(t.Context()))
	s.aws.HandleLambda(function, func(_ context.Context, event []byte) error {
		_, err := s.cloud.Functions[env].InvokeAsync(event)
		return err
	})
	return events
}

// invoke brings prod's function an event, and returns its answer.
func (s *scenario) invoke(t *testing.T, event []byte) string {
	t.Helper()
	response, err := s.cloud.Functions["prod"].Invoke(t.Context(), event)
	must(t, err)
	if response.FunctionError != "" {
		t.Errorf("%s", response.Payload)
	}
	return string(response.Payload)
}

// deployTwo deploys v2 and, while it is on its way, v3.
func (s *scenario) deployTwo(t *testing.T) {
	t.Helper()
	for i, tag := range []string{"v2", "v3"} {
		s.push(t, tag)
		s.invoke(t, []byte(deployEventAt(s.start.Add(time.Duration(i)*time.Second), "of-"+tag, "action.production", deployTo(tag))))
		must(t, s.aws.Drain(t.Context()))
	}
}

// TestRolloutsInAnyOrder moves the backend to v2 and to v3, and to both once
// more, as those do who help; and has ECS tell of the four in any order. Each is
// told as begun and as ended once, and in that order.
func TestRolloutsInAnyOrder(t *testing.T) {
	t.Parallel()
	const both, last = "v2 Started, v3 Started, v2 Superseded, v3 Succeeded", "v3 Started, v2 Superseded, v3 Succeeded"
	for order, want := range map[[4]int]string{
		{0, 1, 2, 3}: both, {1, 2, 0, 3}: both, {2, 3, 1, 0}: both, {1, 3, 2, 0}: last, {3, 0, 1, 2}: last, {3, 2, 1, 0}: last,
	} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			events := s.intercept(t, "prod", func() {
				s.deployTwo(t)
				for _, revision := range []string{":3", ":4"} {
					_, err := s.prod.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), TaskDefinition: aws.String(prodBackend + revision)})
					must(t, err)
					must(t, s.aws.Drain(t.Context()))
				}
			})
			for _, i := range order {
				s.invoke(t, events[i])
			}
			s.advance(t, 3*rolloutStep)
			var told []string
			for _, line := range s.logs.lines(t, "outcome") {
				told = append(told, line["tag"].(string)+strings.TrimPrefix(line["outcome"].(string), "Deployment"))
			}
			if got := strings.Join(told, ", "); got != want {
				t.Errorf("told %s, want %s", got, want)
			}
		})
	}
}

// TestToldAfterAFault holds that an outcome is told by a later try, and noted
// then: not at all by none, and twice only where it was told and not noted.
func TestToldAfterAFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault emulator.Fault
		want  []string
	}{
		{"the bus refuses", emulator.Fault{Operation: "events:PutEvents", Skip: 1, Times: 1, Error: emulator.AccessDenied("no")}, []string{"Deployment Started", "Deployment Succeeded"}},
		{"the journal refuses", emulator.Fault{Operation: "ecs:TagResource", Times: 1, Error: emulator.AccessDenied("no")}, []string{"Deployment Started", "Deployment Started", "Deployment Succeeded"}},
		{"the service cannot be read", emulator.Fault{Operation: "ecs:DescribeServices", Skip: 1, Times: 1, Error: emulator.AccessDenied("no")}, []string{"Deployment Started", "Deployment Succeeded"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			s.push(t, "v2")
			tt.fault.Account = accounts.Prod
			s.aws.Inject(tt.fault) // the first event that is put, and read for, is the DEPLOY
			s.send(t, deployTo("v2"))
			s.advance(t, 2*rolloutStep)
			var got []string
			for _, line := range s.logs.lines(t, "outcome") {
				got = append(got, line["outcome"].(string))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n%s", diff, s.logs)
			}
			if failed := s.logs.lines(t, "invocation failed"); len(failed) != 1 {
				t.Errorf("%d invocations failed, want 1", len(failed))
			}
			if !strings.Contains(s.journals(t), "deployer:outcome = succeeded") {
				t.Errorf("journals:\n%s", s.journals(t))
			}
		})
	}
}
