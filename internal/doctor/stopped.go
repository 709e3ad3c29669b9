package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/rollout"
)

// stoppedTasks reports why tasks of a service's deployments stopped, if they fail. What ECS does not show
// any more is in the journal of the last rollout: see [rollout.Trouble].
func (f *findings) stoppedTasks(ctx context.Context, c *checker, t ecsservice.Target, s *types.Service, r rolledOut) {
	shown := false
	add := func(revision int, reason string) {
		shown = true
		f.add("stopped tasks", Warning, fmt.Sprintf("tasks of revision %d stop: %s", revision, reason),
			"if a rollback helps: "+t.Command("rollback"))
	}
	for _, d := range s.Deployments {
		short := ecsservice.IsPrimary(d) && d.RunningCount < d.DesiredCount && d.FailedTasks > 0
		if !short && d.RolloutState != types.DeploymentRolloutStateFailed {
			continue
		}
		revision := ecsservice.NumberOf(aws.ToString(d.TaskDefinition))
		for _, reason := range c.services.StoppedReasons(ctx, t, aws.ToString(d.Id)) {
			if strings.HasPrefix(reason, "reasons not readable") {
				f.add("stopped tasks", Unknown, fmt.Sprintf("tasks of revision %d stop: %s", revision, reason),
					"allow ecs:ListTasks and ecs:DescribeTasks to these credentials")
				continue
			}
			add(revision, reason)
		}
	}
	last := r.status
	if r.err == nil && !shown && last.Trouble.Stopped != "" &&
		(last.Condition == rollout.Failed || last.Condition == rollout.Impaired) {
		add(last.Trouble.Revision, last.Trouble.Stopped)
	}
}
