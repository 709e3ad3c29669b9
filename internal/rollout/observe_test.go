package rollout

import (
	"fmt"
	"testing"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestObserveByJournal holds how a rollout is found that ECS does not list: by its
// id in the journals of the family's newest revisions, also of a service that is
// gone, and not for ever.
func TestObserveByJournal(t *testing.T) {
	t.Parallel()
	elsewhere, nowhere := target, target
	elsewhere.Service = "p_service_gone_dev"
	nowhere.Service, nowhere.Family = "p_service_gone_dev", "p_service_gone_dev"
	for _, tt := range []struct {
		name        string
		to          ecsservice.Target
		later       int // revisions that were registered since
		search      bool
		found, gone bool
	}{
		{"at once", target, 0, false, false, false},
		{"the last time", target, 0, true, true, false},
		{"behind others", target, 3, true, true, false},
		{"too far behind", target, maxJournalSearch + 1, true, false, false},
		{"of a service that is gone", elsewhere, 3, true, true, true},
		{"of a family that is gone", nowhere, 0, true, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			got := a.deploy(t, "e", 1, "v2")
			a.note(t, got.TaskDefinition, journal.Note{DeploymentID: "ecs-svc/1"})
			for i := range tt.later {
				a.register(t, target.Family, fmt.Sprintf("%s/p_service_web:v%d", host, i))
			}
			s, err := NewHandler(a.services).observe(t.Context(), tt.to, event.Rollout{DeploymentID: "ecs-svc/1"}, tt.search)
			if err != nil || s.Found != tt.found || s.Deleted != tt.gone || tt.found && (s.Revision.TaskDefinition != got.TaskDefinition || s.Revision.Cause.ID != "e") {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// TestSight holds what is seen of a rollout that took the place of two others,
// before which somebody else's ran.
func TestObserve(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	var ids []string
	for i, tag := range []string{"v2", "v3", "v4"} {
		ids = append(ids, a.deploy(t, tag, i, tag).DeploymentID)
	}
	// That the second began is told already: it is replaced once all the same.
	a.note(t, arn+target.Family+":3", journal.Note{DeploymentID: ids[1]})
	s, err := NewHandler(a.services).observe(t.Context(), target, event.Rollout{DeploymentID: ids[2]}, false)
	must(t, err)
	if !s.Found || !s.Primary || !s.InProgress || s.Foreign() || s.Revision.Cause.ID != "v4" || s.Previous.Cause.ID != "v3" || s.Runs.Cause.ID != "v4" || s.PrimaryID != ids[2] {
		t.Errorf("%+v", s)
	}
	if len(s.Replaced) != 2 || s.Replaced[0].Cause.ID != "v3" || s.Replaced[0].DeploymentID != ids[1] || s.Replaced[1].DeploymentID != ids[0] {
		t.Errorf("replaced: %+v", s.Replaced)
	}
	if s, err = NewHandler(a.services).observe(t.Context(), target, event.Rollout{DeploymentID: ids[0]}, false); err != nil || s.Primary || s.Revision.Cause.ID != "v2" || !s.Previous.Foreign || len(s.Replaced) != 0 || s.PrimaryID != ids[2] {
		t.Errorf("%+v, %v", s, err)
	}
	// Somebody rolls the first out once more, after it ended.
	a.note(t, s.Revision.TaskDefinition, journal.Note{DeploymentID: ids[0], Outcome: journal.Succeeded})
	a.moveTo(t, s.Revision.TaskDefinition)
	if s, err = NewHandler(a.services).observe(t.Context(), target, event.Rollout{DeploymentID: ""}, false); err != nil || !s.Foreign() || s.Revision.Cause.ID != "v2" || s.Previous.Cause.ID != "v4" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestBreakers holds what ends a rollout that fails, and whether ECS goes back then.
func TestBreakers(t *testing.T) {
	t.Parallel()
	breaker := func(enable, rollback bool) *types.DeploymentCircuitBreaker {
		return &types.DeploymentCircuitBreaker{Enable: enable, Rollback: rollback}
	}
	alarms := func(enable, rollback bool) *types.DeploymentAlarms {
		return &types.DeploymentAlarms{Enable: enable, Rollback: rollback}
	}
	for _, tt := range []struct {
		name            string
		in              *types.DeploymentConfiguration
		breaks, returns bool
	}{
		{"nothing", nil, false, false},
		{"neither", &types.DeploymentConfiguration{}, false, false},
		{"off", &types.DeploymentConfiguration{DeploymentCircuitBreaker: breaker(false, true), Alarms: alarms(false, true)}, false, false},
		{"the breaker, back", &types.DeploymentConfiguration{DeploymentCircuitBreaker: breaker(true, true)}, true, true},
		{"the breaker, not back", &types.DeploymentConfiguration{DeploymentCircuitBreaker: breaker(true, false)}, true, false},
		{"alarms, back", &types.DeploymentConfiguration{Alarms: alarms(true, true)}, true, true},
		{"alarms, not back, and the breaker", &types.DeploymentConfiguration{DeploymentCircuitBreaker: breaker(true, true), Alarms: alarms(true, false)}, true, true},
	} {
		if breaks, returns := breakers(tt.in); breaks != tt.breaks || returns != tt.returns {
			t.Errorf("%s: %v, %v, want %v, %v", tt.name, breaks, returns, tt.breaks, tt.returns)
		}
	}
}
