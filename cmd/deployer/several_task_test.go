package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// newTaskScenario is newScenario with a scheduled task in prod that is called worker, as a service is.
func newTaskScenario(t *testing.T) *scenario {
	t.Helper()
	s := newScenarioOf(t, func(dir string) {
		file := filepath.Join(dir, "prod.yaml")
		text, err := os.ReadFile(file)
		must(t, err)
		const list = "scheduled_tasks:\n"
		changed := strings.Replace(string(text), list, list+"  - name: worker\n", 1)
		must(t, os.WriteFile(file, []byte(changed), 0o644))
	})
	must(t, cloud.PushImageOf(t.Context(), s.dev, "worker"))
	must(t, cloud.CreateTask(t.Context(), s.prod, "worker", "prod"))
	s.aws.ResetCalls()
	return s
}

// pushTasks pushes an image with a tag to the repositories of tasks.
func (s *scenario) pushTasks(t *testing.T, tag string, tasks ...string) {
	t.Helper()
	for _, name := range tasks {
		_, err := s.dev.Push(t.Context(), "myproject_task_"+name, "task "+name+" "+tag, tag)
		must(t, err)
	}
}

// running returns what the services and tasks of prod run that do not run what they ran when the scenario began:
// "worker:2" for a service's revision.
func (s *scenario) running(t *testing.T) (all []string) {
	t.Helper()
	for _, w := range cloud.Workloads {
		got, err := s.prod.Runs(t.Context(), prodCluster, cloud.ServiceName(w.Name, "prod"))
		must(t, err)
		all = append(all, fmt.Sprintf("%s:%d", w.Name, got.TaskDefinition.Revision))
	}
	for _, task := range []string{"nightly-report", "worker"} {
		group, name := cloud.ScheduleGroupOf(task, "prod"), cloud.ScheduleOf(task, "prod")
		raw, err := s.prod.ReadSchedule(t.Context(), group, name)
		if err != nil {
			continue
		}
		_, definition, _ := strings.Cut(string(raw), `:task-definition/`)
		definition, _, _ = strings.Cut(definition, `"`)
		all = append(all, "task:"+definition)
	}
	// The backend runs its second revision when a scenario begins.
	return slices.DeleteFunc(all, func(one string) bool { return strings.HasSuffix(one, ":1") || one == "backend:2" })
}

// moves returns how many revisions were registered, and how often services and schedules were moved.
func (s *scenario) moves() string {
	schedules, _ := emulatortest.Count(s.aws.Calls(), "UpdateSchedule")
	return fmt.Sprintf("%s, %d schedules", s.writes(), schedules)
}

// TestSeveralTasks sends DEPLOY events of services and tasks, of which a service and a task have one name, through the
// rules to the real bootstrap.
func TestSeveralTasks(t *testing.T) {
	t.Parallel()
	denied := emulator.AccessDenied("no")
	const both = `{"services":["worker","task:worker"],"tag":"v2"}`
	twice := []string{"task:worker v2: Succeeded", "worker v2: Started Succeeded"}
	refused := []string{"task:worker v2: Rejected", "worker v2: Rejected"}
	tests := map[string]struct {
		act   func(*testing.T, *scenario)
		ends  []string // what was published
		runs  []string // what runs another revision than before
		moves string
		kept  []string
	}{
		"a service and a task of one name": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker")
				s.pushTasks(t, "v2", "worker")
				s.send(t, both)
			},
			ends: twice, runs: []string{"worker:2", "task:worker:2"}, moves: "2 registered, 1 moved, 1 schedules",
		},
		"the task's image is missing": {
			act:  func(t *testing.T, s *scenario) { s.pushAll(t, "v2", "worker"); s.send(t, both) },
			ends: refused, moves: "0 registered, 0 moved, 0 schedules", kept: []string{"Deployment Rejected"},
		},
		"the service's image is missing": {
			act:  func(t *testing.T, s *scenario) { s.pushTasks(t, "v2", "worker"); s.send(t, both) },
			ends: refused, moves: "0 registered, 0 moved, 0 schedules", kept: []string{"Deployment Rejected"},
		},
		"two tasks": {
			act: func(t *testing.T, s *scenario) {
				s.pushTasks(t, "v2", "worker", "nightly-report")
				s.send(t, `{"services":["task:nightly-report","task:worker"],"tag":"v2"}`)
			},
			ends: []string{"task:nightly-report v2: Succeeded", "task:worker v2: Succeeded"},
			runs: []string{"task:nightly-report:2", "task:worker:2"}, moves: "2 registered, 0 moved, 2 schedules",
		},
		"all that have the tag": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "backend")
				s.pushTasks(t, "v2", "worker")
				s.send(t, `{"services":"*","tag":"v2"}`)
			},
			ends: []string{"backend v2: Started Succeeded", "task:worker v2: Succeeded"},
			runs: []string{"backend:3", "task:worker:2"}, moves: "2 registered, 1 moved, 1 schedules",
		},
		"a schedule is missing": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker")
				s.pushTasks(t, "v2", "worker")
				must(t, s.prod.DeleteSchedule(t.Context(), cloud.ScheduleGroupOf("worker", "prod"),
					cloud.ScheduleOf("worker", "prod")))
				s.send(t, both)
			},
			ends:  []string{"task:worker v2: Failed", "worker v2: Failed"},
			moves: "0 registered, 0 moved, 0 schedules", kept: []string{"RetriesExhausted"},
		},
		"the schedule's role may not start the task": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker")
				s.pushTasks(t, "v2", "worker")
				role := aws.String("myproject_scheduler_worker_role_prod")
				_, err := iam.NewFromConfig(s.prod.Config).DeleteRolePolicy(t.Context(),
					&iam.DeleteRolePolicyInput{RoleName: role, PolicyName: role})
				must(t, err)
				s.send(t, both)
			},
			ends:  []string{"task:worker v2: Failed", "worker v2: Failed"},
			moves: "0 registered, 0 moved, 0 schedules", kept: []string{"RetriesExhausted"},
		},
		"the schedule cannot be moved, once": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker")
				s.pushTasks(t, "v2", "worker")
				s.aws.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Times: 1, Error: denied})
				s.send(t, both)
			},
			ends: twice, runs: []string{"worker:2", "task:worker:3"}, moves: "3 registered, 1 moved, 2 schedules",
		},
		"the service cannot be moved, once": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker")
				s.pushTasks(t, "v2", "worker")
				s.aws.Inject(emulator.Fault{Operation: "ecs:UpdateService", Times: 1, Error: denied})
				s.send(t, both)
			},
			ends: twice, runs: []string{"worker:3", "task:worker:2"}, moves: "3 registered, 2 moved, 1 schedules",
		},
		"roll back": {
			act: func(t *testing.T, s *scenario) {
				for _, tag := range []string{"v2", "v3"} {
					s.pushAll(t, tag, "worker")
					s.pushTasks(t, tag, "worker")
					s.send(t, strings.Replace(both, "v2", tag, 1))
					s.advance(t, 8*rolloutStep)
				}
				s.send(t, `{"services":["worker","task:worker"],"action":"rollback"}`)
			},
			ends: []string{"task:worker v2: Succeeded Succeeded", "task:worker v3: Succeeded",
				"worker v2: Started Succeeded Started Succeeded", "worker v3: Started Succeeded"},
			runs: []string{"worker:4", "task:worker:4"}, moves: "6 registered, 3 moved, 3 schedules",
		},
	}
	leaveOut(t, tests, "the service's image is missing", "two tasks", "the service cannot be moved, once")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTaskScenario(t)
			tt.act(t, s)
			s.advance(t, 12*rolloutStep)
			ends, _ := s.ends(t)
			if diff := cmp.Diff(tt.ends, ends); diff != "" {
				t.Errorf("published (-want +got):\n%s\n%s", diff, s.logs)
			}
			if diff := cmp.Diff(tt.runs, s.running(t), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			if got := s.moves(); got != tt.moves {
				t.Errorf("%s, want %s", got, tt.moves)
			}
			if diff := cmp.Diff(tt.kept, s.kept(t)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSeveralTasksAgain delivers an event of a service and a task again: nothing changes. After the service was
// deleted, the task is still what it was deployed to.
func TestSeveralTasksAgain(t *testing.T) {
	t.Parallel()
	s := newTaskScenario(t)
	s.pushAll(t, "v2", "worker")
	s.pushTasks(t, "v2", "worker")
	event := []byte(deployEventAt(s.start, "e1", "action.production",
		`{"services":["worker","task:worker"],"tag":"v2"}`))
	if got := s.invoke(t, event); strings.Count(got, `"status":"deployed"`) != 3 {
		t.Fatal(got)
	}
	s.advance(t, 8*rolloutStep)
	before := s.moves()
	again := s.invoke(t, event)
	if strings.Count(again, `"reason":"this event was carried out before"`) != 2 || s.moves() != before {
		t.Errorf("again: %s: %s, was %s", again, s.moves(), before)
	}
	_, err := s.prod.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String(prodCluster),
		Service: aws.String(cloud.ServiceName("worker", "prod")), Force: aws.Bool(true)})
	must(t, err)
	s.advance(t, time.Minute)
	if _, err := s.cloud.Functions["prod"].Invoke(t.Context(), event); err != nil || s.moves() != before {
		t.Errorf("without the service: %v: %s, was %s", err, s.moves(), before)
	}
	if diff := cmp.Diff([]string{"task:worker:2"}, s.running(t)[len(s.running(t))-1:]); diff != "" {
		t.Error(diff)
	}
}
