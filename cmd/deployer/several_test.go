package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/pipeline"
	"deployer/internal/redrive"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// pushAll pushes an image with a tag to the repositories of services of prod.
func (s *scenario) pushAll(t *testing.T, tag string, services ...string) {
	t.Helper()
	for _, name := range services {
		repository := "myproject_service_" + name
		if name == "backend" {
			repository = "myproject_backend"
		}
		_, err := s.dev.Push(t.Context(), repository, name+" "+tag, tag)
		must(t, err)
	}
}

// ends returns what was published about each workload, sorted: "worker v2: Started Succeeded". Each event id that asked
// is counted once in "ids".
func (s *scenario) ends(t *testing.T) (all []string, ids int) {
	t.Helper()
	found, events := map[string]string{}, map[string]bool{}
	for _, e := range s.outcomes(t) {
		key := fmt.Sprint(e.outcome["service"], " ", e.outcome["tag"])
		found[key] += " " + strings.TrimPrefix(e.DetailType, "Deployment ")
		events[fmt.Sprint(e.outcome["event_id"])] = true
	}
	for key, kinds := range found {
		all = append(all, key+":"+kinds)
	}
	slices.Sort(all)
	return all, len(events)
}

// writes returns how many revisions were registered, and how often services were moved.
func (s *scenario) writes() string {
	registered, _ := emulatortest.Count(s.aws.Calls(), "RegisterTaskDefinition")
	moved, _ := emulatortest.Count(s.aws.Calls(), "UpdateService")
	return fmt.Sprintf("%d registered, %d moved", registered, moved)
}

// deleteBackend deletes prod's backend service.
func (s *scenario) deleteBackend(t *testing.T) {
	t.Helper()
	_, err := s.prod.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{
		Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), Force: aws.Bool(true)})
	must(t, err)
	s.advance(t, time.Minute)
}

// TestSeveral sends DEPLOY events of several workloads through the rules to the real bootstrap.
func TestSeveral(t *testing.T) {
	t.Parallel()
	denied := emulator.AccessDenied("no")
	tests := map[string]struct {
		act    func(*testing.T, *scenario)
		ends   []string // what was published
		writes string
		kept   []string
		slack  int // messages to people
	}{
		"all of them": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker", "web-api")
				s.send(t, `{"project":"myproject","services":["worker","web-api"],"tag":"v2"}`)
			},
			ends:   []string{"web-api v2: Started Succeeded", "worker v2: Started Succeeded"},
			writes: "2 registered, 2 moved", slack: 4,
		},
		"those that have the tag": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker", "backend")
				s.send(t, `{"services":"*","tag":"v2"}`)
			},
			ends:   []string{"backend v2: Started Succeeded", "worker v2: Started Succeeded"},
			writes: "2 registered, 2 moved", slack: 4,
		},
		"none has the tag": {
			act: func(t *testing.T, s *scenario) { s.send(t, `{"services":"*","tag":"v9"}`) },
			ends: []string{"backend v9: Rejected", "task:nightly-report v9: Rejected", "web-api v9: Rejected",
				"worker v9: Rejected"},
			writes: "0 registered, 0 moved", kept: []string{"Deployment Rejected"}, slack: 1,
		},
		"an image is missing": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker")
				s.send(t, `{"services":["worker","web-api","backend"],"tag":"v2"}`)
			},
			ends:   []string{"backend v2: Rejected", "web-api v2: Rejected", "worker v2: Rejected"},
			writes: "0 registered, 0 moved", kept: []string{"Deployment Rejected"}, slack: 1,
		},
		"a task among them": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker")
				s.send(t, `{"services":["worker","task:nightly-report"],"tag":"v2"}`)
			},
			ends:   []string{"task:nightly-report v2: Rejected", "worker v2: Rejected"},
			writes: "0 registered, 0 moved", kept: []string{"Deployment Rejected"}, slack: 1,
		},
		"malformed": {
			act:    func(t *testing.T, s *scenario) { s.send(t, `{"services":["worker","nope"],"tag":"v2"}`) },
			ends:   []string{"<nil> v2: Rejected"},
			writes: "0 registered, 0 moved", kept: []string{"Deployment Rejected"}, slack: 1,
		},
		"a service is missing": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker", "backend")
				s.deleteBackend(t)
				s.send(t, `{"services":["worker","backend"],"tag":"v2"}`)
			},
			ends:   []string{"backend v2: Failed", "worker v2: Failed"},
			writes: "0 registered, 0 moved", kept: []string{"RetriesExhausted"}, slack: 1,
		},
		"an image and another service are missing": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker", "backend")
				s.deleteBackend(t)
				s.send(t, `{"services":["worker","backend","web-api"],"tag":"v2"}`)
			},
			ends:   []string{"backend v2: Rejected", "web-api v2: Rejected", "worker v2: Rejected"},
			writes: "0 registered, 0 moved", kept: []string{"Deployment Rejected"}, slack: 1,
		},
		"one cannot be moved, once": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker", "web-api")
				s.aws.Inject(emulator.Fault{Operation: "ecs:UpdateService", Times: 1, Error: denied})
				s.send(t, `{"services":["worker","web-api"],"tag":"v2"}`)
			},
			ends:   []string{"web-api v2: Started Succeeded", "worker v2: Started Succeeded"},
			writes: "3 registered, 3 moved", slack: 4,
		},
		"one rollout fails": {
			act: func(t *testing.T, s *scenario) {
				s.pushAll(t, "v2", "worker", "web-api")
				s.aws.FailImage("service_web-api@")
				s.send(t, `{"services":["worker","web-api"],"tag":"v2"}`)
			},
			ends:   []string{"web-api v2: Started Failed", "worker v2: Started Succeeded"},
			writes: "2 registered, 2 moved", kept: []string{"Deployment Failed"}, slack: 4,
		},
		"redeploy and roll back": {
			act: func(t *testing.T, s *scenario) {
				for _, tag := range []string{"v2", "v3"} {
					s.pushAll(t, tag, "worker", "web-api")
					s.send(t, `{"services":["worker","web-api"],"tag":"`+tag+`"}`)
					s.advance(t, 8*rolloutStep)
				}
				s.send(t, `{"services":["worker","web-api"],"action":"rollback"}`)
				s.advance(t, 8*rolloutStep)
				s.send(t, `{"services":"*","action":"redeploy","force":true}`)
			},
			ends: []string{"backend v1: Started Succeeded", "task:nightly-report v1: Succeeded",
				"web-api v2: Started Succeeded Started Succeeded Started Succeeded", "web-api v3: Started Succeeded",
				"worker v2: Started Succeeded Started Succeeded Started Succeeded", "worker v3: Started Succeeded"},
			writes: "10 registered, 9 moved", slack: 19,
		},
	}
	leaveOut(t, tests, "a task among them", "an image and another service are missing", "one rollout fails")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			tt.act(t, s)
			s.advance(t, 12*rolloutStep)
			ends, _ := s.ends(t)
			ends = slices.DeleteFunc(ends, func(s string) bool { return strings.HasPrefix(s, "<nil> <nil>") })
			if diff := cmp.Diff(tt.ends, ends); diff != "" {
				t.Errorf("published (-want +got):\n%s\n%s", diff, s.logs)
			}
			if got := s.writes(); got != tt.writes {
				t.Errorf("%s, want %s", got, tt.writes)
			}
			if diff := cmp.Diff(tt.kept, s.kept(t)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.slack) != tt.slack {
				t.Errorf("%d messages, want %d: %s", len(s.slack), tt.slack, s.slack)
			}
		})
	}
}

// TestSeveralAgain delivers an event of several workloads again: after one image was deleted, and after a newer event.
func TestSeveralAgain(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.pushAll(t, "v2", "worker", "web-api")
	event := []byte(deployEventAt(s.start, "e1", "action.production", `{"services":["worker","web-api"],"tag":"v2"}`))
	if got := s.invoke(t, event); !strings.Contains(got, `"status":"deployed"`) {
		t.Fatal(got)
	}
	s.advance(t, 8*rolloutStep)
	_, err := ecr.NewFromConfig(s.dev.Config).BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String("myproject_service_worker"),
		ImageIds:       []ecrtypes.ImageIdentifier{{ImageTag: aws.String("v2")}}})
	must(t, err)
	before := s.writes()
	again := s.invoke(t, event)
	if strings.Count(again, `"reason":"this event was carried out before"`) != 2 || s.writes() != before {
		t.Errorf("%s: %s, was %s", again, s.writes(), before)
	}
	s.pushAll(t, "v3", "worker", "web-api")
	newer := deployEventAt(s.start.Add(time.Minute), "e2", "action.production",
		`{"services":["worker","web-api"],"tag":"v3"}`)
	s.invoke(t, []byte(newer))
	s.advance(t, 8*rolloutStep)
	before = s.writes()
	again = s.invoke(t, event)
	if !strings.Contains(again, `"status":"superseded"`) || strings.Contains(again, `"status":"rejected"`) ||
		s.writes() != before {
		t.Errorf("after a newer one: %s: %s, was %s", again, s.writes(), before)
	}
	ends, _ := s.ends(t)
	want := []string{"web-api v2: Started Succeeded", "web-api v3: Started Succeeded", "worker v2: Started Succeeded",
		"worker v3: Started Succeeded"}
	if diff := cmp.Diff(want, ends); diff != "" || len(s.kept(t)) > 0 {
		t.Errorf("kept %v, published (-want +got):\n%s", s.kept(t), diff)
	}
}

// TestSeveralRedriven runs an event again that was rejected for one of its images.
func TestSeveralRedriven(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.pushAll(t, "v2", "worker")
	s.send(t, `{"services":["worker","web-api"],"tag":"v2"}`)
	s.pushAll(t, "v2", "web-api")
	env, err := environment.Load("../../examples/centralized-dev-ecr/prod.yaml")
	must(t, err)
	var got []string
	must(t, redrive.Run(t.Context(), s.prod.Config, env, pipeline.NewRedrive(env, s.prod.Config), redrive.Options{
		QueueURL: env.FailedQueueURL(),
		Found:    func(i redrive.Item) { got = append(got, i.Asks+" "+i.Service+" "+i.Tag+": "+i.Why) },
		Report: func(r redrive.Report) {
			got = append(got, fmt.Sprint(r.Result.Status, " ", len(r.Result.Deployments), " ", r.Deleted, " ", r.Err))
		},
	}))
	const why = `deployment of v2 to worker, web-api of myproject in prod was rejected: looking for tag "v2" in ECR ` +
		`repository "myproject_service_web-api" of account 111111111111 in us-east-1: image not found`
	if len(got) != 2 || !strings.HasPrefix(got[0], "DEPLOY worker, web-api v2: "+why) ||
		got[1] != "deployed 2 true <nil>" {
		t.Errorf("%q", got)
	}
	s.advance(t, 8*rolloutStep)
	ends, ids := s.ends(t)
	want := []string{"web-api v2: Rejected Started Succeeded", "worker v2: Rejected Started Succeeded"}
	if diff := cmp.Diff(want, ends); diff != "" || ids != 1 || len(s.kept(t)) > 0 {
		t.Errorf("%d events, kept %v, published (-want +got):\n%s", ids, s.kept(t), diff)
	}
}

// remove deletes the backend's image with a tag, and all its tags.
func (s *scenario) remove(t *testing.T, tag string) {
	t.Helper()
	for digest, pushed := range s.pushed {
		if pushed != tag {
			continue
		}
		_, err := ecr.NewFromConfig(s.dev.Config).BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
			RepositoryName: aws.String("myproject_backend"),
			ImageIds:       []ecrtypes.ImageIdentifier{{ImageDigest: aws.String(digest)}}})
		must(t, err)
	}
}
