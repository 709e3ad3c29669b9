package scheduler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"deployer/testbed/aws/api"
)

// target is the part of a schedule's target that is checked.
type target struct {
	Arn, RoleArn, Input string
	DeadLetterConfig    struct{ Arn string }
	RetryPolicy         struct{ MaximumEventAgeInSeconds, MaximumRetryAttempts *int }
	EcsParameters       *struct {
		TaskDefinitionArn string
		TaskCount         *int
	}
}

// input is the input of an operation.
type input struct {
	Name  string                     `json:"name"`
	Group string                     `json:"group"` // of the query
	Body  map[string]json.RawMessage `json:"body"`
}

// text returns a member of the body that is a string, or another one if it is not there.
func (in input) text(name, absent string) string {
	text := absent
	_ = json.Unmarshal(in.Body[name], &text)
	return text
}

// createSchedule creates a schedule.
func (s *Server) createSchedule(r *api.Request, in input) (any, *api.Error) {
	made, err := s.check(r, in)
	if err != nil {
		return nil, err
	}
	// CreateSchedule refuses a StartDate that is more than five minutes ago. The API reference does not say that
	// UpdateSchedule does.
	var start float64
	given := json.Unmarshal(in.Body["StartDate"], &start) == nil
	if given && time.Unix(int64(start), 0).Before(r.Now.Add(-5*time.Minute)) {
		return nil, api.Validation("The StartDate you specify cannot be earlier than 5 minutes ago.")
	}
	if s.schedules[made.arn] != nil {
		return nil, &api.Error{Status: http.StatusConflict, Code: "ConflictException",
			Message: "Schedule " + in.Name + " already exists."}
	}
	made.created = r.Now
	s.schedules[made.arn] = made
	return api.Object{"ScheduleArn": made.arn}, nil
}

// open returns the ARN of a schedule whose names are valid, after checking that the caller may carry out the operation
// on it.
func (in input) open(r *api.Request, group string) (arn string, _ *api.Error) {
	if !nameForm.MatchString(in.Name) || !nameForm.MatchString(group) {
		return "", api.Validation("Invalid name %q or group %q.", in.Name, group)
	}
	arn = r.Scope().ARN("scheduler", "schedule/"+group+"/"+in.Name)
	return arn, r.Authorize(api.Access{Action: r.Name(), Resource: arn})
}

// check checks a schedule and its caller's permissions, also to pass the target's role (user guide, "Identity and
// access management"). It returns the schedule with the defaults that EventBridge Scheduler returns: UpdateSchedule too
// resets what it is not sent (API reference).
func (s *Server) check(r *api.Request, in input) (*schedule, *api.Error) {
	group := in.text("GroupName", "default")
	arn, denied := in.open(r, group)
	if denied != nil {
		return nil, denied
	}
	var t target
	if err := json.Unmarshal(in.Body["Target"], &t); err != nil {
		return nil, api.Validation("Target is not valid: %v.", err)
	}
	passing := map[string]string{"iam:PassedToService": "scheduler.amazonaws.com"}
	pass := api.Access{Action: "iam:PassRole", Resource: t.RoleArn, Context: passing}
	if err := r.Authorize(pass); err != nil {
		return nil, err
	}
	expression := in.text("ScheduleExpression", "")
	at, err := time.ParseInLocation("at(2006-01-02T15:04:05)", expression, time.UTC)
	if err != nil && !recurring.MatchString(expression) {
		return nil, api.Validation("Invalid Schedule Expression %s.", expression)
	}
	if err := in.checkMembers(t); err != nil {
		return nil, err
	}
	if group != "default" && !s.groups[r.Scope().ARN("scheduler", "schedule-group/"+group)] {
		return nil, &api.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException",
			Message: "Schedule group " + group + " does not exist."}
	}
	in.fill(group)
	if t.EcsParameters != nil {
		at = time.Time{} // not emulated
	}
	return &schedule{arn: arn, members: in.Body, modified: r.Now, at: at, target: t}, nil
}

// checkMembers checks the window and the target of a schedule (API reference, "FlexibleTimeWindow", "Target" and
// "EcsParameters"). A one-time schedule of a function has to be deleted when it has run.
func (in input) checkMembers(t target) *api.Error {
	var window struct {
		Mode                   string
		MaximumWindowInMinutes *int
	}
	_ = json.Unmarshal(in.Body["FlexibleTimeWindow"], &window)
	service, _, resource, _ := api.SplitARN(t.Arn)
	age, attempts, task := t.RetryPolicy.MaximumEventAgeInSeconds, t.RetryPolicy.MaximumRetryAttempts, t.EcsParameters
	switch {
	case window.Mode != "OFF" && window.Mode != "FLEXIBLE":
		return api.Validation("FlexibleTimeWindow %q is not valid.", window.Mode)
	case (window.Mode == "FLEXIBLE") != (window.MaximumWindowInMinutes != nil):
		return api.Validation("MaximumWindowInMinutes is for the mode FLEXIBLE, which needs it.")
	case in.text("State", "ENABLED") != "ENABLED" && in.text("State", "ENABLED") != "DISABLED":
		return api.Validation("State is not valid.")
	case age != nil && (*age < 60 || *age > 86400) || attempts != nil && (*attempts < 0 || *attempts > 185):
		return api.Validation("The retry policy is out of range.")
	case service == "lambda" && in.text("ActionAfterCompletion", "NONE") != "DELETE":
		return api.Validation("ActionAfterCompletion is not emulated for a function, unless it is DELETE.")
	case service == "lambda":
		return nil
	case service != "ecs" || len(resource) < 8 || resource[:8] != "cluster/":
		return api.Validation("Provided Arn %q is not that of a function or cluster, and no other is emulated.", t.Arn)
	case task == nil || task.TaskDefinitionArn == "":
		return api.Validation("EcsParameters.TaskDefinitionArn is required.")
	case task.TaskCount != nil && (*task.TaskCount < 1 || *task.TaskCount > 10):
		return api.Validation("TaskCount is out of range.")
	}
	return nil
}

// fill adds the system's defaults.
func (in input) fill(group string) {
	defaults := map[string]string{"State": "ENABLED", "ScheduleExpressionTimezone": "UTC",
		"ActionAfterCompletion": "NONE", "GroupName": group}
	for name, value := range defaults {
		if in.Body[name] == nil {
			in.Body[name] = fmt.Appendf(nil, "%q", value)
		}
	}
	delete(in.Body, "ClientToken")
	in.Body["Name"] = fmt.Appendf(nil, "%q", in.Name)
	var t map[string]json.RawMessage
	if json.Unmarshal(in.Body["Target"], &t) == nil && t["RetryPolicy"] == nil {
		t["RetryPolicy"] = json.RawMessage(`{"MaximumEventAgeInSeconds":86400,"MaximumRetryAttempts":185}`)
		in.Body["Target"] = api.Encode(t)
	}
}
