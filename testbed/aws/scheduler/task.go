package scheduler

import (
	"encoding/json"
	"fmt"

	"deployer/testbed/aws/api"
)

// Run runs the task of a schedule as if it were due, with the schedule's role. As in AWS, a run that is denied is only
// a dead letter, if the schedule has a queue. The error says that there is nothing to run: no such schedule, or one
// that is disabled.
func (s *Server) Run(scope api.Scope, group, name string) error {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	one := s.schedules[scope.ARN("scheduler", "schedule/"+group+"/"+name)]
	switch {
	case one == nil:
		return fmt.Errorf("schedule %q of group %q does not exist", name, group)
	case string(one.members["State"]) != `"ENABLED"`:
		return fmt.Errorf("schedule %q of group %q is disabled", name, group)
	case one.target.EcsParameters == nil:
		return fmt.Errorf("schedule %q of group %q runs no task", name, group)
	}
	var target struct{ EcsParameters json.RawMessage }
	json.Unmarshal(one.members["Target"], &target) // it was decoded before
	input := json.RawMessage(one.target.Input)
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	// The form of startedBy is that in public logs of such tasks.
	err := s.tasks.RunTarget(one.caller(), one.target.Arn, target.EcsParameters, input, "chronos-schedule/"+name)
	if err != nil {
		s.deadLetter(one, err.Code, err.Message)
	}
	return nil
}
