package rollout

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
)

// Trouble is what is wrong with a service's last rollout, which failed or whose tasks
// fail. The zero value means that nothing is wrong.
type Trouble struct {
	Revision int    // the number of the revision that was rolled out
	Why      string // the reason of the failure or impairment; "" if it is not known
	Stopped  string // why its tasks stopped, as ECS says it; "" if it is not known
}

// troubleOf returns what is wrong with the last rollout of a service. It is in the
// journal once the function has handled ECS's events; until then, and for external
// rollouts, ECS shows it for about an hour. Memory keeps what ECS shows.
func (c *Client) troubleOf(
	ctx context.Context, t ecsservice.Target, service *types.Service, s Status, memory *Memory,
) (found Trouble) {
	record, id, fails := s.Running, s.Progress.DeploymentID, s.Progress.Failed
	switch s.Condition {
	case RollingBack, RolledBack:
		if s.Newest == nil {
			return Trouble{}
		}
		record, id, fails = *s.Newest, s.Newest.DeploymentID, 0
		for _, d := range service.Deployments {
			if aws.ToString(d.TaskDefinition) == record.TaskDefinition {
				id, fails = aws.ToString(d.Id), int(d.FailedTasks)
			}
		}
	case Failed, Impaired:
	default:
		if s.Progress.Phase != journal.RollingOut || fails == 0 {
			return Trouble{}
		}
	}
	found = Trouble{Revision: record.Revision, Why: record.Why, Stopped: record.Stopped}
	if s.Failed() && record.Outcome != journal.Failed { // the journal is not up to date
		found.Why = cmp.Or(s.Progress.Reason, found.Why)
	}
	if found.Stopped == "" {
		state := fmt.Sprint(id, " ", fails)
		found.Stopped = memory.stopped(t.Service, state, func() string {
			return strings.Join(c.services.StoppedReasons(ctx, t, id), "; ")
		})
	}
	return found
}
