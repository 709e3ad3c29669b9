package ecsdeploy

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestSightByJournal holds how a rollout is found that ECS does not list: by its
// id in the journals of the family's newest revisions, also of a service that is
// gone, and not for ever.
func TestSightByJournal(t *testing.T) {
	t.Parallel()
	elsewhere, nowhere := target, target
	elsewhere.Service = "p_service_gone_dev"
	nowhere.Service, nowhere.Family = "p_service_gone_dev", "p_service_gone_dev"
	for _, tt := range []struct {
		name        string
		to          Target
		later       int // revisions that were registered since
		search      bool
		found, gone bool
	}{
		{"at once", target, 0, false, false, false},
		{"the last time", target, 0, true, true, false},
		{"behind others", target, 3, true, true, false},
		{"too far behind", target, farthest + 1, true, false, false},
		{"of a service that is gone", elsewhere, 3, true, true, true},
		{"of a family that is gone", nowhere, 0, true, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			got, _, err := w.deploy(t, target, w.event(t, "e", 1, "v2"))
			must(t, err)
			d := New(w.Config)
			must(t, d.Note(t.Context(), Record{TaskDefinition: got.TaskDefinition}, Note{DeploymentID: "ecs-svc/1"}))
			for i := range tt.later {
				w.register(t, target.Family, fmt.Sprintf("%s/p_service_web:v%d", host, i))
			}
			s, err := d.Sight(t.Context(), tt.to, "ecs-svc/1", tt.search)
			if err != nil || s.Found != tt.found || s.Gone != tt.gone || tt.found && (s.Record.TaskDefinition != got.TaskDefinition || s.Record.Cause.ID != "e") {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// TestSight holds what is seen of a rollout that took the place of two others,
// before which somebody else's ran.
func TestSight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := New(w.Config)
	d.now = w.clock.Now
	var ids []string
	for i, tag := range []string{"v2", "v3", "v4"} {
		got, _, err := w.deploy(t, target, w.event(t, tag, i, tag))
		must(t, err)
		ids = append(ids, got.DeploymentID)
	}
	// That the second began is told already: it is replaced once all the same.
	must(t, d.Note(t.Context(), Record{TaskDefinition: arn + target.Family + ":3"}, Note{DeploymentID: ids[1]}))
	s, err := d.Sight(t.Context(), target, ids[2], false)
	must(t, err)
	if !s.Found || !s.Primary || !s.Rolling || s.Foreign() || s.Record.Cause.ID != "v4" || s.Before.Cause.ID != "v3" || s.Runs.Cause.ID != "v4" || s.PrimaryID != ids[2] {
		t.Errorf("%+v", s)
	}
	if len(s.Replaced) != 2 || s.Replaced[0].Cause.ID != "v3" || s.Replaced[0].DeploymentID != ids[1] || s.Replaced[1].DeploymentID != ids[0] {
		t.Errorf("replaced: %+v", s.Replaced)
	}
	if s, err = d.Sight(t.Context(), target, ids[0], false); err != nil || s.Primary || s.Record.Cause.ID != "v2" || !s.Before.Foreign || len(s.Replaced) != 0 || s.PrimaryID != ids[2] {
		t.Errorf("%+v, %v", s, err)
	}
	// Somebody rolls the first out once more, after it ended.
	must(t, d.Note(t.Context(), s.Record, Note{DeploymentID: ids[0], Outcome: Succeeded}))
	_, err = w.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"), Service: aws.String(target.Service), TaskDefinition: aws.String(s.Record.TaskDefinition)})
	must(t, err)
	if s, err = d.Sight(t.Context(), target, "", false); err != nil || !s.Foreign() || s.Record.Cause.ID != "v2" || s.Before.Cause.ID != "v4" {
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
