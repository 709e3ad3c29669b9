package scheduler

import (
	"cmp"
	"net/http"
	"regexp"

	"deployer/testbed/aws/api"
)

// recurring is the form of the expressions of recurring schedules (user guide, "Schedule types").
var recurring = regexp.MustCompile(`^(rate\([1-9][0-9]* (minute|hour|day)s?\)|cron\(\S+( \S+){5}\))$`)

// find returns a schedule.
func (s *Server) find(arn, name string) (*schedule, *api.Error) {
	if found := s.schedules[arn]; found != nil {
		return found, nil
	}
	return nil, &api.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException",
		Message: "Schedule " + name + " does not exist."}
}

// getSchedule returns a schedule as it was sent.
func (s *Server) getSchedule(r *api.Request, in input) (any, *api.Error) {
	arn, err := in.open(r, cmp.Or(in.Group, "default"))
	if err != nil {
		return nil, err
	}
	found, err := s.find(arn, in.Name)
	if err != nil {
		return nil, err
	}
	answer := api.Object{"Arn": found.arn, "CreationDate": api.Timestamp(found.created),
		"LastModificationDate": api.Timestamp(found.modified)}
	for name, value := range found.members {
		answer[name] = value
	}
	return answer, nil
}

// updateSchedule replaces a schedule: what is not sent is reset (API reference, "UpdateSchedule").
func (s *Server) updateSchedule(r *api.Request, in input) (any, *api.Error) {
	made, err := s.check(r, in)
	if err != nil {
		return nil, err
	}
	old, err := s.find(made.arn, in.Name)
	if err != nil {
		return nil, err
	}
	made.created = old.created
	s.schedules[made.arn] = made
	return api.Object{"ScheduleArn": made.arn}, nil
}

// deleteSchedule deletes a schedule (API reference, "DeleteSchedule").
func (s *Server) deleteSchedule(r *api.Request, in input) (any, *api.Error) {
	arn, err := in.open(r, cmp.Or(in.Group, "default"))
	if err != nil {
		return nil, err
	}
	if _, err := s.find(arn, in.Name); err != nil {
		return nil, err
	}
	delete(s.schedules, arn)
	return api.Object{}, nil
}
