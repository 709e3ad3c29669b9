package ecs

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// runTaskInput is the input of RunTask. What the emulator does not interpret is not a member.
type runTaskInput struct {
	Cluster        string          `json:"cluster"`
	TaskDefinition string          `json:"taskDefinition"`
	Count          *int            `json:"count"`
	LaunchType     string          `json:"launchType"`
	Strategy       []any           `json:"capacityProviderStrategy"`
	Network        json.RawMessage `json:"networkConfiguration"`
	Overrides      taskOverrides   `json:"overrides"`
	Group          string          `json:"group"`
	StartedBy      string          `json:"startedBy"`
	ClientToken    string          `json:"clientToken"`
	Propagate      string          `json:"propagateTags"`
	Managed        bool            `json:"enableECSManagedTags"`
	Tags           []tag           `json:"tags"`
}

// taskOverrides are what a task is started with in place of what its task definition says.
type taskOverrides struct {
	Containers []struct {
		Name string `json:"name"`
	} `json:"containerOverrides"`
	TaskRole      string `json:"taskRoleArn"`
	ExecutionRole string `json:"executionRoleArn"`
}

const (
	maxRun         = 10   // tasks in one call (ECS API reference, "RunTask")
	maxStartedBy   = 128  // characters
	maxOverrides   = 8192 // characters of JSON
	maxClientToken = 64
	tokenValid     = 24 * time.Hour // ECS API reference, "Ensuring idempotency"
)

var startedByForm = regexp.MustCompile(`^[A-Za-z0-9_/-]*$`)

// A ran is the answer to an earlier RunTask with a client token.
type ran struct {
	request string
	at      time.Time
	tasks   []*task
}

// runTask starts tasks. What prevents a task that the request is not to blame for, such as missing capacity, is an
// answer with failures and HTTP 200 (ECS API reference, "RunTask" and "API failure reasons").
func (e *Server) runTask(r *api.Request, in runTaskInput) (any, *api.Error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	c, td, err := e.authorizeRun(r, in)
	if err != nil {
		return nil, err
	}
	if err := in.checkFits(td); err != nil {
		return nil, err
	}
	if in.ClientToken != "" {
		before, known := c.ran[in.ClientToken]
		switch {
		case !known || r.Now.Sub(before.at) > tokenValid:
		case before.request != string(r.Body):
			return nil, api.NewError("ConflictException", "The client token was used with other parameters.")
		default:
			return answerOf(before.tasks, nil), nil
		}
	}
	if reason := e.noCapacity; reason != "" {
		return answerOf(nil, []api.Object{{"arn": clusterARN(c.scope, c.name), "reason": reason}}), nil
	}
	count := 1
	if in.Count != nil {
		count = *in.Count
	}
	var started []*task
	for range count {
		started = append(started, e.start(c, td, in, r.Body))
	}
	if in.ClientToken != "" {
		c.ran[in.ClientToken] = ran{string(r.Body), r.Now, started}
	}
	return answerOf(started, nil), nil
}

// answerOf returns the answer of RunTask.
func answerOf(started []*task, failures []api.Object) api.Object {
	tasks := []api.Object{}
	for _, t := range started {
		tasks = append(tasks, t.describe(timestamp))
	}
	return api.Object{"tasks": tasks, "failures": api.NonNil(failures)}
}

// check returns the error of a request that is not valid, whatever it names.
func (in runTaskInput) check() *api.Error {
	overrides, _ := json.Marshal(in.Overrides)
	switch {
	case in.TaskDefinition == "":
		return clientError("TaskDefinition can not be blank.")
	case in.Count != nil && (*in.Count < 1 || *in.Count > maxRun):
		return api.InvalidParameter("Count must be between 1 and %d.", maxRun)
	case len(in.StartedBy) > maxStartedBy || !startedByForm.MatchString(in.StartedBy):
		return api.InvalidParameter("startedBy is not valid.")
	case len(in.ClientToken) > maxClientToken || strings.ContainsFunc(in.ClientToken, func(c rune) bool {
		return c < 33 || c > 126
	}):
		return api.InvalidParameter("clientToken is not valid.")
	case len(overrides) > maxOverrides:
		return api.InvalidParameter("Overrides may have %d characters.", maxOverrides)
	case in.LaunchType != "" && len(in.Strategy) > 0:
		return api.InvalidParameter("Specifying both a launch type and capacity provider strategy is not supported. " +
			"Remove one and try again.")
	case !slices.Contains([]string{"", "EC2", "FARGATE", "EXTERNAL"}, in.LaunchType):
		return api.InvalidParameter("Unknown launch type: %s", in.LaunchType)
	case in.Propagate != "" && in.Propagate != "TASK_DEFINITION":
		return api.InvalidParameter("propagateTags %s is not supported for tasks.", in.Propagate)
	}
	return checkTags(in.Tags)
}

// checkFits returns the error of a request that does not fit to its task definition.
func (in runTaskInput) checkFits(td *taskDefinition) *api.Error {
	if td.awsvpc && len(in.Network) == 0 {
		return api.InvalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	if !td.awsvpc && len(in.Network) > 0 {
		return api.InvalidParameter("Network Configuration is not valid for the given networkMode of this task " +
			"definition.")
	}
	if in.LaunchType == "FARGATE" && !slices.Contains(td.compatible, "FARGATE") {
		return api.InvalidParameter("Task definition does not support launch_type FARGATE.")
	}
	for _, override := range in.Overrides.Containers {
		known := slices.ContainsFunc(td.containers(), func(c container) bool { return c.Name == override.Name })
		if !known {
			return api.InvalidParameter("Override for container named %s is not a container in the TaskDefinition.",
				override.Name)
		}
	}
	return nil
}

// authorizeRun checks that the caller may start the task, and returns its cluster and its revision. A family without a
// number is its latest ACTIVE revision, which the caller must be allowed to run: since March 2024 the revision is
// resolved before it is authorized (ECS API reference, "RunTask"). The caller must also pass the roles of the task, and
// tag the task if it gets tags (ECS developer guide, "Amazon ECS EventBridge IAM role").
func (e *Server) authorizeRun(r *api.Request, in runTaskInput) (*cluster, *taskDefinition, *api.Error) {
	name, err := clusterName(r, in.Cluster)
	if err != nil {
		return nil, nil, err
	}
	td, err := e.activeTaskDefinition(r.Scope(), in.TaskDefinition)
	if err != nil {
		return nil, nil, err
	}
	context := addRequestTags(map[string]string{"ecs:cluster": clusterARN(r.Scope(), name)}, in.Tags)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: td.arn(), Context: context}); err != nil {
		return nil, nil, err
	}
	for _, role := range td.roles(r.Scope(), in.Overrides) {
		context := map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}
		if err := r.Authorize(api.Access{Action: "iam:PassRole", Resource: role, Context: context}); err != nil {
			return nil, nil, err
		}
	}
	if len(in.Tags) > 0 || in.Propagate != "" || in.Managed {
		context := addRequestTags(map[string]string{"ecs:CreateAction": r.Operation,
			"ecs:cluster": clusterARN(r.Scope(), name)}, in.tags(td))
		resource := r.Scope().ARN("ecs", "task/"+name+"/*")
		err := r.Authorize(api.Access{Action: "ecs:TagResource", Resource: resource, Context: context})
		if err != nil {
			return nil, nil, err
		}
	}
	c, err := e.findCluster(r, name)
	return c, td, err
}

// tags returns the tags that the task gets.
func (in runTaskInput) tags(td *taskDefinition) []tag {
	tags := in.Tags
	if in.Propagate != "" {
		tags = mergeTags(td.tags, in.Tags)
	}
	return tags
}

// roles returns the ARNs of the roles of a task of the revision.
func (t *taskDefinition) roles(scope api.Scope, o taskOverrides) (roles []string) {
	for name, role := range map[string]string{"taskRoleArn": o.TaskRole, "executionRoleArn": o.ExecutionRole} {
		if role == "" {
			json.Unmarshal(t.fields[name], &role) // checked when it was registered
		}
		switch {
		case role == "":
		case strings.HasPrefix(role, "arn:"):
			roles = append(roles, role)
		default:
			roles = append(roles, scope.RoleARN(role))
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// containers returns the containers of the revision.
func (t *taskDefinition) containers() (all []container) {
	json.Unmarshal(t.fields["containerDefinitions"], &all) // checked when it was registered
	return all
}

// RunTask starts tasks for another service, with the permissions of a caller. The input is that of RunTask. It is
// called with the lock held.
func (e *Server) RunTask(caller api.Caller, input []byte) *api.Error {
	r := &api.Request{Caller: caller, Service: "ecs", Operation: "RunTask", Body: input, Now: e.backend.Clock(),
		IAM: e.iam}
	answer, err := api.JSON(e.runTask)(r)
	if err != nil {
		return err
	}
	if failures := answer.(api.Object)["failures"].([]api.Object); len(failures) > 0 {
		return api.NewError("AmazonECSException", "%v", failures[0]["reason"])
	}
	return nil
}

// FailRuns makes RunTask answer that no task can be placed, for a reason such as RESOURCE:MEMORY; "" ends that.
func (e *Server) FailRuns(reason string) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.noCapacity = reason
}
