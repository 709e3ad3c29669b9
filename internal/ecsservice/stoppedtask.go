package ecsservice

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
	"deployer/internal/outcome"
)

const (
	maxStoppedTasks = 100 // tasks in one ListTasks or DescribeTasks call
	maxStoppedPages = 5   // such pages that are read, until one has a task that is searched for
	maxReasons      = 3   // distinct reasons that are returned
	maxReason       = 450 // characters of one
)

// StoppedReasons returns why tasks of one deployment of the target's service
// stopped, as ECS says it: the most frequent reasons first, and of equal ones the
// newest. DeploymentID is ECS's id of the deployment, "ecs-svc/…". ECS shows a
// stopped task for about an hour. Texts are one line each and clipped. Tasks that
// ECS stopped to scale are left out.
//
// It is best effort, because callers may lack the permissions ecs:ListTasks and
// ecs:DescribeTasks: what could not be read is said in place of the reasons.
func (c *Client) StoppedReasons(ctx context.Context, t Target, deploymentID string) []string {
	if deploymentID == "" {
		return nil
	}
	of := func(task types.Task) bool { return aws.ToString(task.StartedBy) == deploymentID && !scaledIn(task) }
	tasks, action, err := c.stoppedTasks(ctx, t, of)
	if err != nil {
		return notReadable(action, err)
	}
	return reasonsOf(tasks)
}

// StoppedTasks returns at most 100 of the stopped tasks of the target's service that of chooses, newest
// first, without those that ECS stopped to scale. ECS shows stopped tasks for about an hour.
// The error is a fault of package fault.
func (c *Client) StoppedTasks(ctx context.Context, t Target, of func(types.Task) bool) ([]types.Task, error) {
	chosen := func(task types.Task) bool { return of(task) && !scaledIn(task) }
	tasks, action, err := c.stoppedTasks(ctx, t, chosen)
	if err != nil {
		return nil, fault.Classify("reading the stopped tasks of "+t.Service+" ("+action+")", err)
	}
	sortByStop(tasks)
	return tasks, nil
}

// stoppedTasks returns those stopped tasks of the target's service that of chooses, from the first page of
// them that has any, and with an error the action that failed. A large service has pages of tasks that ECS
// stopped to scale.
func (c *Client) stoppedTasks(ctx context.Context, t Target, of func(types.Task) bool) (
	tasks []types.Task, action string, err error) {
	// startedBy must be the only filter of ListTasks (ECS API reference), so the
	// service's stopped tasks are listed, and the deployment's chosen later.
	in := &ecs.ListTasksInput{Cluster: aws.String(t.Cluster), ServiceName: aws.String(t.Service),
		DesiredStatus: types.DesiredStatusStopped}
	for range maxStoppedPages {
		list, err := c.ecs.ListTasks(ctx, in)
		if err != nil {
			return nil, "ecs:ListTasks", err
		}
		if len(list.TaskArns) > 0 {
			arns := list.TaskArns[:min(len(list.TaskArns), maxStoppedTasks)]
			out, err := c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: in.Cluster, Tasks: arns})
			if err != nil {
				return nil, "ecs:DescribeTasks", err
			}
			tasks = slices.DeleteFunc(out.Tasks, func(task types.Task) bool { return !of(task) })
		}
		in.NextToken = list.NextToken
		if len(tasks) > 0 || aws.ToString(in.NextToken) == "" {
			break
		}
	}
	return tasks, "", nil
}

// sortByStop sorts tasks by when they stopped, newest first.
func sortByStop(tasks []types.Task) {
	slices.SortStableFunc(tasks, func(a, b types.Task) int {
		return aws.ToTime(b.StoppedAt).Compare(aws.ToTime(a.StoppedAt))
	})
}

// notReadable returns the text that stands in place of reasons.
func notReadable(action string, err error) []string {
	what := ": " + string(fault.NameOf(fault.Classify("reading stopped tasks", err)))
	if _, denied := fault.Denied(err); denied {
		what = " denied"
	}
	return []string{"reasons not readable: " + action + what}
}

// reasonsOf returns why stopped tasks stopped.
func reasonsOf(tasks []types.Task) []string {
	sortByStop(tasks)
	var reasons []string
	count := map[string]int{}
	for _, task := range tasks {
		reason := StopReason(task)
		if reason == "" {
			continue
		}
		if count[Alike(reason)]++; count[Alike(reason)] == 1 {
			reasons = append(reasons, reason)
		}
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return count[Alike(b)] - count[Alike(a)] })
	reasons = reasons[:min(len(reasons), maxReasons)]
	for i, reason := range reasons {
		if n := count[Alike(reason)]; n > 1 {
			reasons[i] = fmt.Sprintf("%s (%d tasks)", reason, n)
		}
	}
	return reasons
}

// scaledIn reports whether ECS stopped a healthy task, because the service was
// scaled or a newer deployment replaced it.
func scaledIn(task types.Task) bool {
	return task.StopCode == types.TaskStopCodeServiceSchedulerInitiated &&
		strings.HasPrefix(aws.ToString(task.StoppedReason), "Scaling activity initiated by")
}

// StopReason returns why a task stopped, on one line: the reason of the task, and the exit
// code and the reason of each container that has one.
func StopReason(task types.Task) string {
	reason := aws.ToString(task.StoppedReason)
	if reason == "" {
		reason = string(task.StopCode)
	}
	parts := []string{}
	if reason != "" {
		parts = append(parts, reason)
	}
	for _, c := range task.Containers {
		part := ""
		if c.ExitCode != nil {
			part = fmt.Sprintf("container %s exited with code %d", aws.ToString(c.Name), *c.ExitCode)
		}
		// ECS repeats the task's reason as the container's, with or without more detail.
		if why := aws.ToString(c.Reason); why != "" && !strings.Contains(reason, why) {
			if part == "" {
				part = "container " + aws.ToString(c.Name)
			}
			part += ": " + why
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return outcome.Ends(Unsigned(strings.Join(parts, "; ")), maxReason)
}

// reasonForms match parts of reasons.
var reasonForms = sync.OnceValue(func() (f struct{ signature, query, user, ids *regexp.Regexp }) {
	f.signature = regexp.MustCompile(`\?[^\s"]*X-Amz-[^\s"]*`)
	f.query = regexp.MustCompile(`([a-z][a-z0-9+.-]*://[^\s"'?]*)\?[^\s"']+`)
	f.user = regexp.MustCompile(`([a-z][a-z0-9+.-]*://)[^\s"'/@]+@`)
	f.ids = regexp.MustCompile(`(?i)(?:request ?id|host ?id):? ?[^\s,;)]+` +
		`|\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b|\b(?:eni|i)-[0-9a-f]{8,17}\b` +
		`|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?\b`)
	return f
})

// Unsigned returns a text of ECS without the queries and the users of the URLs in it. Such a URL may be
// presigned, as those of the buckets are that ECR and other registries keep layers in: it allows all who
// have it to read the layer.
func Unsigned(s string) string {
	if !strings.Contains(s, "://") && !strings.Contains(s, "X-Amz-") {
		return s
	}
	s = reasonForms().user.ReplaceAllString(s, "$1…@")
	s = reasonForms().query.ReplaceAllString(s, "$1?…")
	return reasonForms().signature.ReplaceAllString(s, "?…")
}

// Alike returns a reason without what differs between tasks that stopped for the same reason: ids of
// tasks, requests, network interfaces and instances, and IP addresses.
func Alike(reason string) string { return reasonForms().ids.ReplaceAllString(reason, "*") }
