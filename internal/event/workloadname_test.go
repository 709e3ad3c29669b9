package event

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"deployer/internal/environment"
)

// TestWorkloadNames checks the names by which a DEPLOY means a workload.
func TestWorkloadNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, env, detail string
		want              string // the kind and repository of the workload, or the reason
	}{
		{"the backend", "service-named-backend", `"service":"backend"`, "backend orchard_backend"},
		{"a service called backend", "service-named-backend", `"service":"service:backend"`,
			"service orchard_service_backend"},
		{"a service by its kind", "service-named-backend", `"service":"service:api"`, "service orchard_service_api"},
		{"no such service", "opt-out", `"service":"service:backend"`, `the DEPLOY is malformed: service ` +
			`"service:backend" is not in the dev environment, which has backend, api, billing`},
		{"a task by its kind", "opt-out", `"service":"task:cleanup"`, "scheduled task orchard_task_cleanup"},
		{"a task twice by its kind", "opt-out", `"task":"task:cleanup"`, "scheduled task orchard_task_cleanup"},
		{"no such task", "opt-out", `"service":"task:clean"`,
			`the DEPLOY is malformed: task "clean" is not in the dev environment, which has cleanup`},
		{"opted out", "opt-out", `"service":"billing"`, "service orchard_service_billing"},
		{"disabled", "opt-out", `"service":"parked"`, `the DEPLOY is malformed: service "parked" is not in the dev ` +
			`environment: it is disabled (services[2].enabled is false)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Read([]byte(deployment("action.dev", `{`+tt.detail+`,"tag":"v1"}`)), field(t, tt.env), now)
			got := r.Reason
			if r.Verdict == Accepted {
				got = string(r.Requests[0].Workload.Kind) + " " + r.Requests[0].Workload.Repository
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestTaskPrefix reads task:NAME as another deployer of these files has it.
func TestTaskPrefix(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "task-prefix.json"))
	if err != nil {
		t.Fatal(err)
	}
	env, err := environment.Parse("prod.yaml", []byte("project: p\nenv: prod\nregion: us-east-1\naccount_id: "+
		"\"333333333333\"\nscheduled_tasks: [{name: cleanup}]\nservices: [{name: cleanup}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 26, 10, 1, 0, 0, time.UTC)
	r := Read(raw, env, at)
	if r.Verdict != Accepted || r.Requests[0].Workload.Kind != environment.ScheduledTask {
		t.Errorf("got %+v", r)
	}
}
