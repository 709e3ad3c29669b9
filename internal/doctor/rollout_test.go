package doctor

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// TestRollout checks what the doctor says of a service's last rollout, in each condition.
func TestRollout(t *testing.T) {
	t.Parallel()
	target := ecsservice.Target{File: "dev.yaml", Workload: "web"}
	status := func(c rollout.Condition) rollout.Status {
		return rollout.Status{Condition: c, Running: journal.Record{Revision: 7}}
	}
	troubled := func(c rollout.Condition, why, stopped string) rollout.Status {
		s := status(c)
		s.Trouble = rollout.Trouble{Revision: 8, Why: why, Stopped: stopped}
		return s
	}
	const history = "see why: deployer history -f dev.yaml web"
	notKnown := status(rollout.NotKnown)
	notKnown.Progress.Reason = "listing service deployments: AccessDeniedException: no (allow it)"
	for _, tt := range []struct {
		name string
		rolledOut
		level     Level
		seen, fix string
	}{
		{"steady", rolledOut{status(rollout.Steady), nil}, OK, "revision 7 is rolled out", ""},
		{"rolling out", rolledOut{status(rollout.RollingOut), nil}, OK, "revision 7 is rolling out", ""},
		{"paused", rolledOut{status(rollout.Paused), nil}, Warning, "the rollout of revision 7 is paused",
			"continue it: deployer continue -f dev.yaml web; or roll it back: deployer stop -f dev.yaml web"},
		{"impaired", rolledOut{troubled(rollout.Impaired, "its tasks do not start: no image", ""), nil}, Problem,
			"the tasks of revision 7 do not start: no image", history},
		{"rolling back", rolledOut{troubled(rollout.RollingBack, "circuit breaker.", "exit code 1"), nil}, Warning,
			"the last rollout failed, and ECS rolls back to revision 7: circuit breaker; stopped tasks: exit code 1",
			history},
		{"rolled back", rolledOut{troubled(rollout.RolledBack, "circuit breaker", ""), nil}, Warning,
			"the last rollout failed, and the service runs revision 7 again: circuit breaker", history},
		{"failed", rolledOut{status(rollout.Failed), nil}, Problem,
			"the rollout of revision 7 failed, and was not rolled back", history},
		{"not known", rolledOut{notKnown, nil}, Unknown, "whether revision 7 is rolled out is not known: listing " +
			"service deployments: AccessDeniedException: no (allow it)", "deployer status -f dev.yaml web"},
		{"not read", rolledOut{rollout.Status{}, errors.New("no")}, Unknown, "not checked: no", "try again"},
	} {
		f := &findings{service: "web"}
		f.rollout(target, tt.rolledOut)
		want := []Finding{{Check: "last rollout", Service: "web", Level: tt.level, Seen: tt.seen, Fix: tt.fix}}
		if diff := cmp.Diff(want, f.list); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
