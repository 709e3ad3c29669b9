package outcome

import (
	"strings"
	"testing"
	"time"

	"deployer/internal/environment"
)

// TestHookProblem checks what is said of a hook that failed or timed out.
func TestHookProblem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		hook Hook
		want string
	}{
		{"a pause timed out", Hook{Type: "PAUSE", Stage: "BAKE_TIME", Status: HookTimedOut, Then: "ROLLBACK"},
			"the pause at BAKE_TIME timed out: ECS rolls the service back"},
		{"a pause timed out and goes on",
			Hook{Type: "PAUSE", Stage: "BAKE_TIME", Status: HookTimedOut, Then: "CONTINUE"},
			"the pause at BAKE_TIME timed out: ECS continues the deployment"},
		{"a pause timed out, the rest is not known", Hook{Type: "PAUSE", Status: HookTimedOut},
			"the pause timed out: ECS takes the hook's timeout action"},
		{"a pause ended with ROLLBACK", Hook{Type: "PAUSE", Stage: "BAKE_TIME", Status: HookFailed, Then: "CONTINUE"},
			"the pause at BAKE_TIME was ended with ROLLBACK: ECS rolls the service back"},
		{"a function failed", Hook{Type: "AWS_LAMBDA", Stage: "BAKE_TIME", Status: HookFailed},
			"the hook at BAKE_TIME failed: ECS rolls the service back"},
		{"a function timed out", Hook{Type: "AWS_LAMBDA", Stage: "BAKE_TIME", Status: HookTimedOut},
			"the hook at BAKE_TIME timed out: ECS takes the hook's timeout action"},
	} {
		if got := tt.hook.Problem(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestContinueCommand checks that the command names the environment, or the file that a
// person named.
func TestContinueCommand(t *testing.T) {
	t.Parallel()
	w, _ := prod(t).Find("backend", environment.Services...)
	for file, want := range map[string]string{
		"":                     "deployer continue -e prod backend",
		"project/live.yaml":    "deployer continue -f project/live.yaml backend",
		"my project/it's.yaml": `deployer continue -f 'my project/it'\''s.yaml' backend`,
	} {
		env := *prod(t)
		env.File = file
		o := New(&env, w)
		o.Time, o.Cause, o.Revision.After, o.Hook.ID = asked, base(t).Cause, family+"12", "ecs-pause-1"
		o, err := Paused(o)
		if err != nil {
			t.Fatal(err)
		}
		if o.Hook.Continue != want {
			t.Errorf("%q: %s, want %s", file, o.Hook.Continue, want)
		}
		if stop := strings.Replace(want, " continue ", " stop ", 1); o.Undo() != stop {
			t.Errorf("%q: undo %s, want %s", file, o.Undo(), stop)
		}
	}
}

// TestPauseSentence checks the sentence about a pause, of which ECS need not say
// everything.
func TestPauseSentence(t *testing.T) {
	t.Parallel()
	const end = "; continue it with: deployer continue -f prod.yaml backend"
	const start = "deployment of git-abc123f (revision 12) to backend of myproject in prod is paused"
	for _, tt := range []struct {
		name string
		hook Hook
		want string
	}{
		{"everything", Hook{Stage: "PRE_SCALE_UP", Expires: asked.Add(time.Hour), Then: "ROLLBACK"},
			" at PRE_SCALE_UP until 2026-01-22T11:15:30Z, when ECS rolls it back"},
		{"it goes on by itself", Hook{Stage: "PRE_SCALE_UP", Expires: asked.Add(time.Hour), Then: "CONTINUE"},
			" at PRE_SCALE_UP until 2026-01-22T11:15:30Z, when ECS continues it"},
		{"no action", Hook{Stage: "PRE_SCALE_UP", Expires: asked.Add(time.Hour)},
			" at PRE_SCALE_UP until 2026-01-22T11:15:30Z"},
		{"nothing", Hook{}, ""},
	} {
		o := base(t)
		o.File, o.Hook = "prod.yaml", tt.hook
		o.Hook.ID = "ecs-pause-1"
		o, err := Paused(o)
		if err != nil {
			t.Fatal(err)
		}
		if want := start + tt.want + end; o.Message != want {
			t.Errorf("%s:\n%s\nwant:\n%s", tt.name, o.Message, want)
		}
	}
}
