package outcome

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/event"
)

const (
	family = "arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:"
	host   = "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend@sha256:"
	older  = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
	newer  = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

var asked = time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)

// prod is the environment of the samples.
func prod(t *testing.T) *environment.Environment {
	t.Helper()
	env, err := environment.Load("../../examples/centralized-dev-ecr/prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// base is a deployment of prod's backend, which a person asked for.
func base(t *testing.T) Outcome {
	t.Helper()
	env := prod(t)
	w, _ := env.Find("backend", environment.Services...)
	o := New(env, w)
	o.File = "" // as the function has it
	o.Tag, o.Digest = "git-abc123f", "sha256:"+newer
	o.Image = Change{host + older, host + newer}
	o.Revision = Change{family + "11", family + "12"}
	o.DeploymentID = "ecs-svc/1234567890123456789"
	o.Cause.ID, o.Cause.Time, o.Cause.Source = "7bf73129-1428-4cd3-a780-2b9e0c5d80e3", asked, "action.production"
	o.Cause.Actor, o.Cause.Reason = "alice", "fix the login"
	o.Time, o.Accepted = asked.Add(92*time.Second+123*time.Millisecond), asked.Add(2*time.Second)
	return o
}

// task is a deployment of prod's nightly-report: it has no service and no rollout.
func task(t *testing.T) Outcome {
	t.Helper()
	const (
		family = "arn:aws:ecs:us-east-1:333333333333:task-definition/nightly-report:"
		image  = "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_task_nightly-report@sha256:"
	)
	env := prod(t)
	w, _ := env.Find("nightly-report", environment.Tasks...)
	o := New(env, w)
	o.File = "" // as the function has it
	o.Tag, o.Digest = "git-abc123f", "sha256:"+newer
	o.Image = Change{image + older, image + newer}
	o.Revision = Change{family + "11", family + "12"}
	o.Cause = event.Cause{ID: "7bf73129-1428-4cd3-a780-2b9e0c5d80e4", Time: asked, Source: "action.production"}
	o.Time, o.Accepted = asked.Add(2*time.Second), asked.Add(2*time.Second)
	return o
}

// samples are an outcome of every kind, by the names of their files in testdata.
func samples(t *testing.T) map[string]Outcome {
	t.Helper()
	deploy, err := os.ReadFile("../../events/deploy-backend.json")
	if err != nil {
		t.Fatal(err)
	}
	rejected, err := os.ReadFile("../../events/deploy-rejected-tag.json")
	if err != nil {
		t.Fatal(err)
	}
	const ran = "arn:aws:ecs:us-east-1:333333333333:task/myproject_cluster_prod/c13b4cb40f1f4fe4a2971f76ae5a47ad"
	all := map[string]Outcome{}
	for name, make := range map[string]func(o Outcome) (Outcome, error){
		"started": func(o Outcome) (Outcome, error) {
			o.Time = o.Accepted
			return Started(o)
		},
		"succeeded": Succeeded,
		"task": func(Outcome) (Outcome, error) {
			o := task(t)
			o.NextRun = "due at 2026-01-23T03:00:00+01:00"
			return Succeeded(o)
		},
		"first-run": func(Outcome) (Outcome, error) {
			o, one := task(t), 1
			o.Time = asked.Add(24 * time.Hour)
			o.Run = Run{Task: ran, ExitCode: &one, StopCode: "EssentialContainerExited",
				Reason:     "Essential container in task exited",
				Containers: "container app exited with code 1"}
			return FirstRun(o)
		},
		"failed": func(o Outcome) (Outcome, error) {
			o.ECSReason = "ECS deployment circuit breaker: task failed to start."
			o.RolledBackTo = Revision{family + "11", host + older}
			o.StoppedTasks = []string{"Essential container in task exited; container app exited with code 1 (3 tasks)"}
			return Failed(o)
		},
		"impaired": func(o Outcome) (Outcome, error) {
			o.Problem = "its tasks do not start and the circuit breaker of the service has not ended the rollout"
			o.StoppedTasks = []string{"CannotPullContainerError: pull image manifest has been retried 7 time(s): " +
				"failed to resolve ref " + host + newer + ": not found (3 tasks)"}
			return Impaired(o)
		},
		"paused": func(o Outcome) (Outcome, error) {
			o.Hook = Hook{ID: "ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw", Type: "PAUSE",
				Stage: "POST_TEST_TRAFFIC_SHIFT", Status: HookAwaitingAction, Expires: asked.Add(24 * time.Hour),
				Then: "ROLLBACK"}
			return Paused(o)
		},
		"timed-out": func(o Outcome) (Outcome, error) {
			o.Hook = Hook{ID: "ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw", Type: "PAUSE",
				Stage: "POST_TEST_TRAFFIC_SHIFT", Status: HookTimedOut, Expires: asked.Add(24 * time.Hour),
				Then: "ROLLBACK"}
			o.Time, o.Problem = o.Hook.Expires, o.Hook.Problem()
			return Impaired(o)
		},
		"refused": func(o Outcome) (Outcome, error) {
			o.Time, o.Accepted = asked.Add(184*time.Second), time.Time{}
			o.Image.After, o.Revision.After, o.DeploymentID, o.Event = "", "", "", deploy
			o.Problem = `registering a revision of task definition family "myproject_service_prod": ` +
				`AccessDeniedException: ` +
				"User: arn:aws:sts::333333333333:assumed-role/myproject_deployer_prod/myproject_deployer_prod " +
				"is not authorized to perform: ecs:RegisterTaskDefinition (in account 333333333333, add to " +
				"the policy of role myproject_deployer_prod: " +
				`{"Effect":"Allow","Action":["ecs:RegisterTaskDefinition"],"Resource":"*"})`
			return Failed(o)
		},
		"rejected": func(o Outcome) (Outcome, error) {
			o = New(prod(t), environment.Workload{})
			o.Time = asked.Add(time.Second)
			o.Cause = event.Cause{ID: "7bf73129-1428-4cd3-a780-2b9e0c5d8bd5", Time: asked, Source: "action.production"}
			o.Tag, o.Problem, o.Event = "git-", event.Read(rejected, prod(t), asked).Reason, rejected
			return Rejected(o)
		},
		"superseded": func(o Outcome) (Outcome, error) {
			o.SupersededBy = Newer{"7bf73129-1428-4cd3-a780-2b9e0c5d80ff", "ecs-svc/1234567890123456790"}
			return Superseded(o)
		},
		"foreign": func(o Outcome) (Outcome, error) {
			o.Tag, o.Digest, o.Cause, o.Accepted, o.Foreign = "", "", event.Cause{}, time.Time{}, true
			o.Image.After = "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:v2"
			o.ECSReason = "ECS deployment ecs-svc/1234567890123456789 completed."
			return Succeeded(o)
		},
	} {
		o, err := make(base(t))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = o
	}
	return all
}

// delivered returns an outcome as EventBridge delivers it.
func delivered(t *testing.T, o Outcome) []byte {
	t.Helper()
	resources := []string{}
	if o.ServiceARN != "" {
		resources = append(resources, o.ServiceARN)
	}
	text, err := json.Marshal(struct {
		Version    string          `json:"version"`
		ID         string          `json:"id"`
		DetailType string          `json:"detail-type"`
		Source     string          `json:"source"`
		Account    string          `json:"account"`
		Time       string          `json:"time"`
		Region     string          `json:"region"`
		Resources  []string        `json:"resources"`
		Detail     json.RawMessage `json:"detail"`
	}{
		"0", "0d9b1f6e-7a4c-4c52-9a57-3f1f0c7f5b11", string(o.Kind), Source, "333333333333",
		o.Time.UTC().Format(time.RFC3339), "us-east-1", resources, o.Detail(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}

// TestEvents compares an event of every kind with its file, and the file with the
// example in the documentation. UPDATE_GOLDEN=1 rewrites the files.
func TestEvents(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../../docs/reference/outcomes.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range samples(t) {
		file, got := filepath.Join("testdata", name+".json"), delivered(t, o)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !strings.Contains(string(docs), "```json\n"+string(want)+"```\n") {
			t.Errorf("docs/reference/outcomes.md does not have %s as its example", file)
		}
	}
}

// TestReadBack checks that an outcome can be decoded from its event.
func TestReadBack(t *testing.T) {
	t.Parallel()
	for name, want := range samples(t) {
		var got Outcome
		if err := json.Unmarshal(want.Detail(), &got); err != nil {
			t.Fatal(err)
		}
		got.Kind, got.Time, got.Accepted, got.ServiceARN = want.Kind, want.Time, want.Accepted, want.ServiceARN
		got.File = want.File
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "fix the login", "fix the login"},
		{"lines", " a\r\n\n\tb\u2028c\x00d ", "a b c d"},
		{"turned", "safe\u202egpj.exe", "safe gpj.exe"},
		{"long", strings.Repeat("é", 21), strings.Repeat("é", 19) + "…"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
	} {
		if got := strings.ToValidUTF8(Line(tt.in, 20), "\uFFFD"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
