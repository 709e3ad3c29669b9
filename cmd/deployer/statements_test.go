package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/iam"

	fakeiam "deployer/testbed/aws/iam"
)

// statements are those of the roles of prod's stack by which calls were allowed, as "ROLE SID".
type statements struct {
	mu   sync.Mutex
	used map[string]bool
}

// observe records the statements that are used from now on.
func (s *scenario) observe() *statements {
	found := &statements{used: map[string]bool{}}
	roles := map[string][]*iam.Document{}
	for _, stack := range s.cloud.Stacks {
		for _, role := range stack.Roles() {
			roles[role.ARN] = role.Policies
		}
	}
	s.aws.Observe(func(c fakeiam.Check) {
		found.mu.Lock()
		defer found.mu.Unlock()
		name := c.Request.Principal[strings.LastIndexByte(c.Request.Principal, '/')+1:]
		for _, document := range roles[c.Request.Principal] {
			for _, one := range document.Statements() {
				if c.Allowed && one.Evaluate(c.Request) == iam.Allow {
					found.used[name+" "+one.Sid] = true
				}
			}
		}
	})
	return found
}

// TestStatementsOfRetries checks that an event that waits for its image uses the statements which nothing else uses:
// those of the function that make a schedule, and those of the schedule's role, by which it invokes the function, or
// keeps an event that the function does not accept.
func TestStatementsOfRetries(t *testing.T) {
	t.Parallel()
	s := newScenarioWith(t, replicated, time.Hour)
	s.clock.Advance(s.start.Sub(s.clock.Now()))
	found := s.observe()
	uses := func(all ...string) {
		t.Helper()
		got, want := map[string]bool{}, map[string]bool{}
		for _, one := range []string{"myproject_deployer_prod ScheduleRetries", "myproject_deployer_prod PassRetryRole",
			"myproject_deployer_retry_prod InvokeFunction", "myproject_deployer_retry_prod KeepFailedEvents"} {
			found.mu.Lock()
			got[one] = found.used[one]
			found.mu.Unlock()
			want[one] = false
		}
		for _, one := range all {
			want[one] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("used (-want +got):\n%s", diff)
		}
	}
	uses()
	s.sendAt(t, s.start.Add(-12*time.Minute), deployTo("v2"))
	function := []string{"myproject_deployer_prod ScheduleRetries", "myproject_deployer_prod PassRetryRole"}
	uses(function...)
	s.clock.Advance(5 * time.Minute)
	s.advance(t, rolloutStep)
	invoked := append(function, "myproject_deployer_retry_prod InvokeFunction")
	uses(invoked...)
	s.aws.HandleLambda("arn:aws:lambda:us-east-1:333333333333:function:myproject_deployer_prod",
		func(context.Context, []byte) error { return errors.New("no") })
	s.clock.Advance(time.Hour)
	s.advance(t, rolloutStep)
	uses(append(invoked, "myproject_deployer_retry_prod KeepFailedEvents")...)
}
