package failure

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The exit codes of containers that were stopped by a signal: SIGKILL and SIGTERM. ECS sends
// them to the other containers of a task in which one has ended.
const (
	exitKilled     = 137
	exitTerminated = 143
)

// failed returns the container for which a task stopped, nil if none of its containers ran.
// That is, in this order: one that exited by itself with an error, one of which ECS gives a
// reason (such as too little memory), one that is unhealthy, an essential one that ended, an
// essential one that was stopped.
func failed(task types.Task, td *types.TaskDefinition) *types.Container {
	essential := func(c types.Container) bool {
		return slices.ContainsFunc(td.ContainerDefinitions, func(d types.ContainerDefinition) bool {
			return aws.ToString(d.Name) == aws.ToString(c.Name) && (d.Essential == nil || *d.Essential)
		})
	}
	stopped := func(c types.Container) bool { return *c.ExitCode == exitKilled || *c.ExitCode == exitTerminated }
	for _, is := range []func(types.Container) bool{
		func(c types.Container) bool { return *c.ExitCode != 0 && !stopped(c) && essential(c) },
		func(c types.Container) bool { return *c.ExitCode != 0 && !stopped(c) },
		func(c types.Container) bool { return aws.ToString(c.Reason) != "" },
		func(c types.Container) bool { return c.HealthStatus == types.HealthStatusUnhealthy },
		func(c types.Container) bool { return essential(c) && !stopped(c) },
		essential,
	} {
		for i, c := range task.Containers {
			if c.ExitCode != nil && is(c) {
				return &task.Containers[i]
			}
		}
	}
	return nil
}
