package dashboard

import (
	"context"
	"errors"
	"sync"
	"time"

	"deployer/internal/doctor"
	"deployer/internal/event"
	"deployer/internal/fleet"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// hostile is a text that would run a script if it were not escaped.
const hostile = `</script><img src=x onerror=alert(1)>"'` + "`"

var at = time.Date(2026, 1, 22, 9, 0, 0, 0, time.UTC)

// fake is a source with two environments, of which prod is behind, and a third one that
// cannot be read.
type fake struct {
	mu        sync.Mutex
	condition rollout.Condition // of the backend in prod
	running   int               // tasks of it
}

func (f *fake) set(condition rollout.Condition, running int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.condition, f.running = condition, running
}

func (f *fake) Fleet(context.Context) *fleet.Fleet {
	f.mu.Lock()
	defer f.mu.Unlock()
	service := func(name, tag string, condition rollout.Condition, running int) fleet.Service {
		return fleet.Service{Name: name, ECSService: "shop_service_" + name, Condition: condition, Since: at,
			Running: &journal.Record{Revision: 7, Tag: tag}, Rollout: &fleet.Rollout{Running: running, Desired: 3},
			Drift: &fleet.Drift{Tag: fleet.TagDrift{State: "none"}}}
	}
	paused := service("web-api", hostile, f.condition, f.running)
	paused.Why = hostile
	task := func(name string) fleet.Service {
		one := service(name, "v7", rollout.Steady, 0)
		one.ECSService, one.NextRun = "", "due by rate(1 hour)"+hostile
		return one
	}
	due := task("task:nightly-report")
	due.DueAt, due.NextRun = at.Add(17*time.Hour), "due at 2026-01-23T02:00:00Z"
	return &fleet.Fleet{
		Environments: []fleet.Environment{
			{Name: "dev", File: "dev.yaml", ByName: true, Project: "shop", Account: "111111111111", Region: "us-east-1",
				Cluster: "shop_cluster_dev", Services: []fleet.Service{service("backend", "v3", rollout.Steady, 3)}},
			{Name: "prod", File: "my files/prod.yaml", Project: "shop", Account: "333333333333", Region: "us-east-1",
				Production: true, Cluster: "shop_cluster_prod",
				Services: []fleet.Service{service("backend", "v1", rollout.Steady, 3), paused, due,
					task("task:hourly")}},
			{Name: "staging", Services: []fleet.Service{}, Error: &fleet.Error{Name: "AccessDenied", Message: hostile,
				Hint: "choose other credentials"}},
		},
		Gaps: []fleet.Gap{{Service: "backend", Environment: "prod", Of: "dev", Images: 2}},
	}
}

func (f *fake) History(_ context.Context, environment, service string) (*rollout.History, error) {
	if service == "web-api" {
		return nil, errors.New(hostile)
	}
	const arn = "arn:aws:ecs:us-east-1:333333333333:task-definition/shop_service:"
	return &rollout.History{Runs: arn + "7", Records: []journal.Record{
		{TaskDefinition: arn + "7", Revision: 7, Registered: at, Tag: "v1", Outcome: journal.Succeeded,
			Cause: event.Cause{Actor: "ada", Reason: "fix the login in " + environment}},
		{TaskDefinition: arn + "6", Revision: 6, Registered: at.Add(-time.Hour), Tag: hostile, Outcome: journal.Failed,
			Why: hostile, Stopped: hostile, Cause: event.Cause{Actor: hostile, Reason: hostile}},
		{TaskDefinition: arn + "5", Revision: 5, Registered: at.Add(-2 * time.Hour), Foreign: true},
	}}, nil
}

func (f *fake) Doctor(_ context.Context, environment string) (*doctor.Report, error) {
	if environment == "dev" {
		return &doctor.Report{Findings: []doctor.Finding{{Level: doctor.OK}, {Level: doctor.OK}}}, nil
	}
	return &doctor.Report{Findings: []doctor.Finding{
		{Check: "function", Level: doctor.OK, Seen: "it exists"},
		{Check: "pull", Service: "backend", Level: doctor.Warning, Seen: hostile, Fix: "aws ecr describe-images"},
		{Check: "role", Level: doctor.Problem, Seen: "it lacks rights", Fix: hostile},
	}}, nil
}
