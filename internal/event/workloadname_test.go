package event

import (
	"os"
	"path/filepath"
	"strings"
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

// TestServiceNamedAfterAKind reads events for an environment in which services and a task have the names of the kinds.
func TestServiceNamedAfterAKind(t *testing.T) {
	t.Parallel()
	env, err := environment.Parse("prod.yaml", []byte("project: p\nenv: prod\nregion: us-east-1\naccount_id: "+
		"\"333333333333\"\nservices: [{name: service}, {name: task}, {name: backend}, {name: api}, {name: all}]\n"+
		"scheduled_tasks: [{name: task}, {name: api}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	const has = `, which has backend, service, task, service:backend, api, all`
	const alone = `the event names the image in "tag" alone`
	for detail, want := range map[string]string{
		`"services":["service:backend","backend"]`:   "p_service_backend p_backend",
		`"services":["service:api","task:api"]`:      "p_service_api p_task_api",
		`"services":["service","task"]`:              "p_service_service p_service_task",
		`"services":["service:service","task:task"]`: "p_service_service p_task_task",
		`"services":["service:task"]`:                "p_service_task",
		`"service":"service:backend"`:                "p_service_backend",
		`"service":"task"`:                           "p_service_task",
		`"task":"task"`:                              "p_task_task",
		`"services":["service:api:v2"]`: `"services" has "service:api:v2": write "api"; ` + OneTag +
			`, with "tag": "v2"`,
		`"service":"ALL"`:            `service "ALL" is not in the prod environment; did you mean "all"?`,
		`"services":["service:v2"]`:  `service "service:v2" is not in the prod environment` + has,
		`"service":"service:v2"`:     `service "service:v2" is not in the prod environment` + has,
		`"service":"service:api:v2"`: `"service" is "service:api:v2": write "service": "api"; ` + alone,
		`"service":"service:backend:v2"`: `"service" is "service:backend:v2": write "service": "service:backend"; ` +
			alone,
		`"services":["service:service","service","api"]`: `"services" names "service" twice`,
	} {
		r := Read([]byte(deployment("action.prod", `{`+detail+`,"tag":"v1"}`)), env, now)
		got := strings.TrimPrefix(r.Reason, "the DEPLOY is malformed: ")
		if r.Verdict == Accepted {
			var repositories []string
			for _, one := range r.Requests {
				repositories = append(repositories, one.Workload.Repository)
			}
			got = strings.Join(repositories, " ")
		}
		if got != want {
			t.Errorf("%s: %s\nwant %s", detail, got, want)
		}
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
