package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
)

// stoppedTasks reports why tasks of a service's deployments stopped, if they fail.
func (f *findings) stoppedTasks(ctx context.Context, c *checker, t ecsservice.Target, s *types.Service) {
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
			f.add("stopped tasks", Warning, fmt.Sprintf("tasks of revision %d stop: %s", revision, reason),
				"if a rollback helps: "+t.Command("rollback"))
		}
	}
}
