package outcome

import (
	"time"

	"deployer/internal/environment"
)

// Hook is a lifecycle hook of a deployment: one that pauses it, or that failed or
// timed out.
type Hook struct {
	ID     string `json:"id"`
	Type   string `json:"type,omitempty"`  // "PAUSE", or "AWS_LAMBDA" for a hook that calls a function
	Stage  string `json:"stage,omitempty"` // the lifecycle stage, such as "POST_TEST_TRAFFIC_SHIFT"
	Status string `json:"status"`          // "AWAITING_ACTION", "TIMED_OUT" or "FAILED"

	Expires  time.Time `json:"expires,omitzero"`   // when the hook times out, in UTC
	Then     string    `json:"then,omitempty"`     // what ECS does then: "CONTINUE" or "ROLLBACK"
	Continue string    `json:"continue,omitempty"` // the command that continues a pause; set by the constructor
}

// The statuses of hooks that are reported, as ECS spells them.
const (
	HookAwaitingAction = "AWAITING_ACTION"
	HookTimedOut       = "TIMED_OUT"
	HookFailed         = "FAILED"

	hookContinues = "CONTINUE"
	hookPauses    = "PAUSE"
)

// Paused returns the outcome of a deployment that waits to be continued. It
// requires the service, the event's id unless the deployment is foreign, the new
// revision, and the hook.
func Paused(o Outcome) (Outcome, error) {
	o.Hook.Continue = o.command("continue")
	return o.complete(DeploymentPaused, required{"service", o.Service}, o.requiredEvent(),
		required{"revision.after", o.Revision.After}, required{"hook.id", o.Hook.ID})
}

// Impaired returns the outcome of a deployment with a problem, whose rollout has
// not ended. It requires the service, the event's id unless the deployment is
// foreign, the new revision, and the cause.
func Impaired(o Outcome) (Outcome, error) {
	return o.complete(DeploymentImpaired, required{"service", o.Service}, o.requiredEvent(),
		required{"revision.after", o.Revision.After}, required{"cause", o.Problem})
}

// Problem returns what is wrong with a hook that failed or timed out, and what ECS
// does.
func (h Hook) Problem() string {
	what, then := "the hook", "ECS rolls the service back"
	if h.Type == hookPauses {
		what = "the pause"
	}
	if h.Stage != "" {
		what += " at " + h.Stage
	}
	if h.Status == HookFailed && h.Type == hookPauses {
		return what + " was ended with ROLLBACK: " + then
	}
	if h.Status == HookFailed {
		return what + " failed: " + then
	}
	switch h.Then {
	case "":
		then = "ECS takes the hook's timeout action"
	case hookContinues:
		then = "ECS continues the deployment"
	}
	return what + " timed out: " + then
}

// wait returns until when a pause lasts and what ECS does then; "" if the time is
// not known.
func (h Hook) wait() string {
	if h.Expires.IsZero() {
		return ""
	}
	text := " until " + h.Expires.UTC().Format(time.RFC3339)
	switch h.Then {
	case "":
		return text
	case hookContinues:
		return text + ", when ECS continues it"
	}
	return text + ", when ECS rolls it back"
}

// fileOf returns the environment file for commands, "" if they name the environment.
func fileOf(env *environment.Environment) string {
	if env.ByName {
		return ""
	}
	return env.File
}

// command returns a command of the deployer for the outcome's service, as a line
// for a shell.
func (o Outcome) command(name string) string {
	return environment.CommandFor(o.File == "", o.Environment, o.File, name, o.Service)
}
