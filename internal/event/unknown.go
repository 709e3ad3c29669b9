package event

import (
	"slices"
	"strings"

	"deployer/internal/environment"
)

// Unknown returns the message that an environment has no workload of a name.
// Member is "service" or "task". The message suggests a similar name, or lists
// the names that there are.
func Unknown(env *environment.Environment, member, name string) string {
	kinds, otherKinds, other := environment.Services, environment.Tasks, "task"
	if member == "task" {
		kinds, otherKinds, other = environment.Tasks, environment.Services, "service"
	}
	known := env.Names(kinds...)
	message := member + " " + quote(name) + " is not in the " + env.Name + " environment"
	if _, ok := env.Find(name, otherKinds...); ok {
		return message + `: it is a ` + other + `, so write "` + other + `" for "` + member + `"`
	}
	if w, ok := env.FindDisabled(name, kinds...); ok {
		return message + ": it is disabled (" + w.Disabled + ")"
	}
	if w, what := awsName(env, name, kinds); what != "" {
		return message + ": it is " + what + " of " + quote(w.Name) + "; write that name"
	}
	near := environment.Nearest(name, known)
	if trimmed := strings.TrimSpace(name); trimmed != name && slices.Contains(known, trimmed) {
		near = trimmed
	}
	if near != "" {
		return message + "; did you mean " + quote(near) + "?"
	}
	if len(known) == 0 {
		return message + ", which has no " + member + "s"
	}
	return message + ", which has " + strings.Join(known, ", ")
}

// wrongKind returns what is wrong with a name that has its kind before it, "task:NAME"
// or "service:NAME": it has no name, or that of a workload of the other kind. It
// returns "" for any other name.
func wrongKind(env *environment.Environment, name string) string {
	bare, isTask := strings.CutPrefix(name, environment.TaskPrefix)
	kinds, otherKinds, other := environment.Tasks, environment.Services, "service"
	if !isTask {
		var isService bool
		if bare, isService = strings.CutPrefix(name, environment.ServicePrefix); !isService {
			return ""
		}
		kinds, otherKinds, other = environment.Services, environment.Tasks, "task"
	}
	if bare == "" {
		return "without a name"
	}
	w, ok := env.Find(bare, otherKinds...)
	if _, same := env.Find(bare, kinds...); same || !ok {
		return ""
	}
	return "but " + w.Name + " is " + w.Noun() + `: write "` + other + `": ` + quote(w.Name)
}
