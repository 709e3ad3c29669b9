package taskrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/pointer"
)

// pollInterval is the time between two reads of [Wait].
const pollInterval = time.Second

// Start starts a task with the input that a pointer has (see [Input]). The error is a fault; a task that ECS has no
// capacity for is one too, although its answer is HTTP 200 ("API failure reasons" in the ECS API reference).
func Start(ctx context.Context, client *ecs.Client, p pointer.Pointer, in *ecs.RunTaskInput) (types.Task, error) {
	doing := fmt.Sprintf("running a task of %q in cluster %q", aws.ToString(in.TaskDefinition),
		aws.ToString(in.Cluster))
	out, err := client.RunTask(ctx, in)
	if fault.HasCode(err, "InvalidParameterException") {
		return types.Task{}, fault.Misconfigured(fault.ErrTaskNotStarted, doing, fault.Plain(err), "what starts the "+
			"task, or the given input, does not fit the task definition; if no input was given, "+
			"the runs of "+p.String()+" fail in the same way: "+p.Look())
	}
	if err != nil {
		return types.Task{}, fault.Classify(doing, err)
	}
	if len(out.Failures) > 0 {
		return types.Task{}, fault.Misconfigured(fault.ErrTaskNotStarted, doing, errors.New("ECS did not start it: "+
			reasons(out.Failures)), "see what the reason means in \"API failure reasons\" of the ECS API reference, "+
			"and run it again")
	}
	if len(out.Tasks) == 0 || aws.ToString(out.Tasks[0].TaskArn) == "" {
		return types.Task{}, fault.Incomplete(doing, "task")
	}
	return out.Tasks[0], nil
}

// reasons returns why ECS did not start a task, each once: there is a failure for each container instance that it could
// not be placed on.
func reasons(failures []types.Failure) string {
	var all []string
	for _, f := range failures {
		parts := []string{aws.ToString(f.Reason), aws.ToString(f.Detail)}
		one := strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
		if one == "" {
			one = "no reason is given for " + aws.ToString(f.Arn)
		}
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return strings.Join(all, "; ")
}

// Wait reads a task until it has stopped or ctx ends, and calls show for every status.
func Wait(ctx context.Context, client *ecs.Client, task types.Task, show func(types.Task)) (types.Task, error) {
	doing := fmt.Sprintf("describing task %q", aws.ToString(task.TaskArn))
	last := ""
	for {
		out, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: task.ClusterArn,
			Tasks: []string{aws.ToString(task.TaskArn)}})
		switch {
		case err != nil:
			return task, fault.Classify(doing, err)
		case len(out.Tasks) > 0: // reads are eventually consistent: a task may be missing at first
			task = out.Tasks[0]
		}
		if status := aws.ToString(task.LastStatus); status != last {
			last = status
			show(task)
		}
		if last == "STOPPED" {
			return task, nil
		}
		if err := fault.Wait(ctx, pollInterval); err != nil {
			return task, fault.Classify(doing, err)
		}
	}
}

// Succeeded reports whether a stopped task of a revision did what it was to do: the
// containers that run the target's image exited with 0. What other containers exited with,
// which ECS stops then, does not matter.
func Succeeded(t ecsservice.Target, task types.Task, td *types.TaskDefinition) bool {
	var names []string
	chosen, err := t.Containers(td)
	for _, i := range chosen {
		names = append(names, aws.ToString(td.ContainerDefinitions[i].Name))
	}
	ended := 0
	for _, c := range task.Containers {
		if err == nil && !slices.Contains(names, aws.ToString(c.Name)) {
			continue
		}
		if c.ExitCode == nil || *c.ExitCode != 0 {
			return false
		}
		ended++
	}
	return ended > 0
}
