package scheduler

import (
	"net/http"
	"time"

	"deployer/testbed/aws/api"
)

// target is the target of a schedule.
type target struct {
	Arn, RoleArn, Input string
	DeadLetterConfig    struct{ Arn string }
	RetryPolicy         struct{ MaximumEventAgeInSeconds, MaximumRetryAttempts *int }
}

// createInput is the input of CreateSchedule.
type createInput struct {
	Name string `json:"name"`
	Body struct {
		ActionAfterCompletion string
		FlexibleTimeWindow    struct{ Mode string }
		GroupName             string
		ScheduleExpression    string
		Target                target
	} `json:"body"`
}

// createSchedule checks a schedule and its caller's permissions, also to pass the target's role (user guide, "Identity
// and access management").
func (s *Server) createSchedule(r *api.Request, in createInput) (any, *api.Error) {
	b := in.Body
	if b.GroupName == "" {
		b.GroupName = "default"
	}
	if !nameForm.MatchString(in.Name) || !nameForm.MatchString(b.GroupName) {
		return nil, api.Validation("Invalid name %q or group %q.", in.Name, b.GroupName)
	}
	arn := r.Scope().ARN("scheduler", "schedule/"+b.GroupName+"/"+in.Name)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn}); err != nil {
		return nil, err
	}
	passing := map[string]string{"iam:PassedToService": "scheduler.amazonaws.com"}
	pass := api.Access{Action: "iam:PassRole", Resource: b.Target.RoleArn, Context: passing}
	if err := r.Authorize(pass); err != nil {
		return nil, err
	}
	at, err := time.ParseInLocation("at(2006-01-02T15:04:05)", b.ScheduleExpression, time.UTC)
	service, _, _, _ := api.SplitARN(b.Target.Arn)
	age, attempts := b.Target.RetryPolicy.MaximumEventAgeInSeconds, b.Target.RetryPolicy.MaximumRetryAttempts
	switch {
	case err != nil:
		return nil, api.Validation("Invalid Schedule Expression %s.", b.ScheduleExpression)
	case b.FlexibleTimeWindow.Mode != "OFF":
		return nil, api.Validation("FlexibleTimeWindow %q is not emulated.", b.FlexibleTimeWindow.Mode)
	case b.ActionAfterCompletion != "DELETE":
		return nil, api.Validation("ActionAfterCompletion %q is not emulated.", b.ActionAfterCompletion)
	case service != "lambda":
		return nil, api.Validation("Provided Arn %q is not that of a function, and no other is emulated.", b.Target.Arn)
	case age != nil && (*age < 60 || *age > 86400) || attempts != nil && (*attempts < 0 || *attempts > 185):
		return nil, api.Validation("The retry policy is out of range.")
	case b.GroupName != "default" && !s.groups[r.Scope().ARN("scheduler", "schedule-group/"+b.GroupName)]:
		return nil, &api.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException",
			Message: "Schedule group " + b.GroupName + " does not exist."}
	case s.schedules[arn] != nil:
		return nil, &api.Error{Status: http.StatusConflict, Code: "ConflictException",
			Message: "Schedule " + in.Name + " already exists."}
	}
	s.schedules[arn] = &schedule{arn: arn, at: at, target: b.Target}
	return api.Object{"ScheduleArn": arn}, nil
}
