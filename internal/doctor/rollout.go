package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/rollout"
)

// rolledOut is the status of a service's last rollout, or why it could not be read.
type rolledOut struct {
	status rollout.Status
	err    error
}

// rollouts reads the last rollout of each workload.
func (c *checker) rollouts(ctx context.Context, workloads []environment.Workload) []rolledOut {
	all := make([]rolledOut, len(workloads))
	if len(workloads) == 0 {
		return all
	}
	targets := make([]ecsservice.Target, len(workloads))
	for i, w := range workloads {
		targets[i] = ecsservice.TargetOf(c.env, w)
	}
	client := rollout.New(c.services)
	// An error is that the cluster does not exist, which the services' own check reports.
	_ = client.Statuses(ctx, c.env.Cluster, targets, &rollout.Memory{}, func(i int, s rollout.Status, err error) {
		all[i] = rolledOut{s, err}
	})
	return all
}

// rollout reports how the service's last rollout ended, or that it goes on.
func (f *findings) rollout(t ecsservice.Target, r rolledOut) {
	const check = "last rollout"
	if r.err != nil {
		f.add(check, Unknown, "not checked: "+fault.Plain(r.err).Error(), "try again")
		return
	}
	s := r.status
	revision := fmt.Sprintf("revision %d", s.Running.Revision)
	why := ""
	if reason := cmp.Or(s.Trouble.Why, s.Progress.Reason); reason != "" {
		why = ": " + reason
	}
	back := s.Condition == rollout.RollingBack || s.Condition == rollout.RolledBack
	if back && s.Trouble.Stopped != "" { // else the check of stopped tasks says so
		why = strings.TrimSuffix(why, ".") + "; stopped tasks: " + s.Trouble.Stopped
	}
	history := "see why: " + t.Command("history")
	switch s.Condition {
	case rollout.RollingOut:
		f.ok(check, "%s is rolling out", revision)
	case rollout.Paused:
		f.add(check, Warning, "the rollout of "+revision+" is paused", "continue it: "+t.Command("continue")+
			"; or roll it back: "+t.Command("stop"))
	case rollout.Impaired:
		f.add(check, Problem, "the tasks of "+revision+" do not start"+
			strings.TrimPrefix(why, ": its tasks do not start"), history)
	case rollout.RollingBack:
		f.add(check, Warning, "the last rollout failed, and ECS rolls back to "+revision+why, history)
	case rollout.RolledBack:
		f.add(check, Warning, "the last rollout failed, and the service runs "+revision+" again"+why, history)
	case rollout.Failed:
		f.add(check, Problem, "the rollout of "+revision+" failed, and was not rolled back"+why, history)
	case rollout.NotKnown:
		f.add(check, Unknown, "whether "+revision+" is rolled out is not known"+why, t.Command("status"))
	default:
		f.ok(check, "%s is rolled out", revision)
	}
}
