package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
)

// TestRolloutEventsInAnyOrder deploys v2 and v3, moves the service to each of the two
// revisions once more, as concurrent invocations do, and delivers the four events of
// ECS in several orders. Each deployment is reported at most once as started and once
// as ended, in that order.
func TestRolloutEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	const (
		all  = "v2 Started, v3 Started, v2 Superseded, v3 Succeeded"
		last = "v3 Started, v2 Superseded, v3 Succeeded"
	)
	orders := map[string]string{
		// v3 is no news before its second rollout, and what it replaced is.
		"0123": "v2 Started, v2 Superseded, v3 Started, v3 Succeeded",
		"1203": all, "2310": all,
		"1320": last, "3012": last, "3210": last,
	}
	leaveOut(t, orders, "2310", "1320", "3012")
	for order, want := range orders {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			events := s.intercept(t, "prod", func() {
				s.deployTwo(t)
				for _, revision := range []string{":3", ":4"} {
					s.updateService(t, &ecs.UpdateServiceInput{TaskDefinition: aws.String(prodBackend + revision)})
					must(t, s.aws.Drain(t.Context()))
				}
			})
			for _, i := range order {
				s.invoke(t, events[i-'0'])
			}
			s.advance(t, 3*rolloutStep)
			var reported []string
			for _, line := range s.logs.lines(t, "outcome published") {
				kind := strings.TrimPrefix(line["outcome"].(string), "Deployment")
				reported = append(reported, line["tag"].(string)+kind)
			}
			if got := strings.Join(reported, ", "); got != want {
				t.Errorf("reported %s, want %s", got, want)
			}
		})
	}
}

// TestReportedAfterFault checks that an outcome that could not be reported or noted is
// reported by the retry. It is reported twice only where the note failed after the report.
func TestReportedAfterFault(t *testing.T) {
	t.Parallel()
	const started, succeeded = "Deployment Started", "Deployment Succeeded"
	for _, tt := range []struct {
		name, operation string
		skip            int // calls before the fault: the first PutEvents and the first read are the DEPLOY's
		want            []string
	}{
		{"PutEvents is denied", "events:PutEvents", 1, []string{started, succeeded}},
		{"the note is denied", "ecs:TagResource", 0, []string{started, started, succeeded}},
		{"the service cannot be read", "ecs:DescribeServices", 1, []string{started, succeeded}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			s.push(t, "v2")
			s.aws.Inject(emulator.Fault{
				Account: accounts.Prod, Operation: tt.operation, Skip: tt.skip, Times: 1,
				Error: emulator.AccessDenied("no"),
			})
			s.send(t, deployTo("v2"))
			s.advance(t, 2*rolloutStep)
			var got []string
			for _, line := range s.logs.lines(t, "outcome published") {
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
