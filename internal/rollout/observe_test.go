package rollout

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// TestObserveByJournal checks how a rollout that ECS does not list is found: by its id in
// the journals of the family's newest revisions, even if the service was deleted.
func TestObserveByJournal(t *testing.T) {
	t.Parallel()
	nowhere := target
	nowhere.Service, nowhere.Family = "p_service_gone_dev", "p_service_gone_dev"
	for _, tt := range []struct {
		name        string
		to          ecsservice.Target
		later       int // revisions that were registered since
		search      bool
		found, gone bool
	}{
		{"without a search", target, 0, false, false, false},
		{"with a search", target, 0, true, true, false},
		{"behind others", target, 3, true, true, false},
		{"too far behind", target, maxJournalSearch + 1, true, false, false},
		{"of a deleted service", target, 3, true, true, true},
		{"of a deleted family", nowhere, 0, true, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			got := a.deploy(t, "e", 1, "v2")
			a.note(t, got.TaskDefinition, journal.Note{DeploymentID: "ecs-svc/1"})
			for i := range tt.later {
				a.register(t, target.Family, fmt.Sprintf("%s/p_service_web:v%d", host, i))
			}
			if tt.gone {
				_, err := a.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String(target.Cluster),
					Service: aws.String(target.Service), Force: aws.Bool(true)})
				must(t, err)
			}
			s, err := NewHandler(a.services).observe(t.Context(), tt.to, event.Rollout{DeploymentID: "ecs-svc/1"},
				tt.search)
			if err != nil || s.Found != tt.found || s.Deleted != tt.gone || tt.found &&
				(s.Revision.TaskDefinition != got.TaskDefinition || s.Revision.Cause.ID != "e") {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// TestObserve observes a rollout that replaced two others, before which a foreign
// revision ran.
func TestObserve(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	var ids []string
	for i, tag := range []string{"v2", "v3", "v4"} {
		ids = append(ids, a.deploy(t, tag, i, tag).DeploymentID)
	}
	// The start of the second was reported. It is replaced nevertheless.
	a.note(t, arn+target.Family+":3", journal.Note{DeploymentID: ids[1]})
	s, err := NewHandler(a.services).observe(t.Context(), target, event.Rollout{DeploymentID: ids[2]}, false)
	must(t, err)
	if !s.Found || !s.Primary || !s.InProgress || s.Foreign() || s.Revision.Cause.ID != "v4" ||
		s.Previous.Cause.ID != "v3" || s.Runs.Cause.ID != "v4" || s.PrimaryID != ids[2] {
		t.Errorf("%+v", s)
	}
	if len(s.Replaced) != 2 || s.Replaced[0].Revision.Cause.ID != "v3" ||
		s.Replaced[0].Revision.DeploymentID != ids[1] ||
		s.Replaced[1].Revision.DeploymentID != ids[0] {
		t.Errorf("replaced: %+v", s.Replaced)
	}
	if s, err = NewHandler(a.services).observe(t.Context(), target, event.Rollout{DeploymentID: ids[0]},
		false); err != nil || s.Primary || s.Revision.Cause.ID != "v2" || !s.Previous.Foreign || len(s.Replaced) != 0 ||
		s.PrimaryID != ids[2] {
		t.Errorf("%+v, %v", s, err)
	}
	// Another tool rolls the first out again, after its end.
	a.note(t, s.Revision.TaskDefinition, journal.Note{DeploymentID: ids[0], Outcome: journal.Succeeded})
	a.moveTo(t, s.Revision.TaskDefinition)
	if s, err = NewHandler(a.services).observe(t.Context(), target, event.Rollout{DeploymentID: ""},
		false); err != nil || !s.Foreign() || s.Revision.Cause.ID != "v2" || s.Previous.Cause.ID != "v4" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestBreakers checks what ends failing rollouts, and whether ECS rolls back then.
func TestBreakers(t *testing.T) {
	t.Parallel()
	breaker := func(enable, rollback bool) *types.DeploymentCircuitBreaker {
		return &types.DeploymentCircuitBreaker{Enable: enable, Rollback: rollback}
	}
	alarms := func(enable, rollback bool) *types.DeploymentAlarms {
		return &types.DeploymentAlarms{Enable: enable, Rollback: rollback}
	}
	for _, tt := range []struct {
		name              string
		in                *types.DeploymentConfiguration
		enabled, rollback bool
	}{
		{"nothing", nil, false, false},
		{"neither", &types.DeploymentConfiguration{}, false, false},
		{"off", &types.DeploymentConfiguration{DeploymentCircuitBreaker: breaker(false, true),
			Alarms: alarms(false, true)}, false, false},
		{"breaker with rollback", &types.DeploymentConfiguration{DeploymentCircuitBreaker: breaker(true, true)}, true,
			true},
		{"breaker without rollback", &types.DeploymentConfiguration{DeploymentCircuitBreaker: breaker(true, false)},
			true, false},
		{"alarms with rollback", &types.DeploymentConfiguration{Alarms: alarms(true, true)}, true, true},
		{"alarms without rollback, breaker with rollback",
			&types.DeploymentConfiguration{DeploymentCircuitBreaker: breaker(true, true),
				Alarms: alarms(true, false)}, true, true},
	} {
		if enabled, rollback := breakers(tt.in); enabled != tt.enabled || rollback != tt.rollback {
			t.Errorf("%s: %v, %v, want %v, %v", tt.name, enabled, rollback, tt.enabled, tt.rollback)
		}
	}
}
