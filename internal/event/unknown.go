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
	message := absent(env, member, name)
	if _, ok := env.Find(name, otherKinds...); ok {
		return message + `: it is a ` + other + `, so write "` + other + `" for "` + member + `"`
	}
	if misnamed, _ := Misnamed(env, member, name); misnamed != "" {
		return misnamed
	}
	known := env.Names(kinds...)
	if near := nearest(env, member, name); near != "" {
		return message + "; did you mean " + quote(near) + "?"
	}
	if len(known) == 0 {
		return message + ", which has no " + member + "s"
	}
	return message + ", which has " + strings.Join(known, ", ")
}

// nearest returns the name that a member was probably meant to have, or "": one that is
// spelled almost alike, or the same without space around it. A "service" may be a task too.
func nearest(env *environment.Environment, member, name string) string {
	names, tasks := env.Names(environment.Services...), env.Names(environment.Tasks...)
	if member == "task" {
		names = tasks
	}
	trimmed := strings.TrimSpace(name)
	if slices.Contains(names, trimmed) {
		return trimmed
	}
	if near := environment.Nearest(trimmed, names); near != "" || member == "task" {
		return near
	}
	for _, task := range tasks {
		label := environment.TaskPrefix + task
		if trimmed == label || environment.Nearest(trimmed, []string{task, label}) != "" {
			return label
		}
	}
	return ""
}

// absent returns the message that an environment has no workload of a name.
func absent(env *environment.Environment, member, name string) string {
	return member + " " + quote(name) + " is not in the " + env.Name + " environment"
}

// Misnamed returns [Unknown]'s message for a name that stands for something: a workload
// that is disabled, or of which it is the name in AWS. It returns "" for any other name.
// Label is what the workload is called; "" if it is disabled.
func Misnamed(env *environment.Environment, member, name string) (message, label string) {
	kinds := environment.Services
	if member == "task" {
		kinds = environment.Tasks
	}
	if w, ok := env.FindDisabled(name, kinds...); ok {
		return absent(env, member, name) + ": it is disabled (" + w.Disabled + ")", ""
	}
	if w, what := awsName(env, name, kinds); what != "" {
		return absent(env, member, name) + ": it is " + what + " of " + quote(w.Name) + "; write that name", w.Label()
	}
	return "", ""
}

// wrongKind returns what is wrong with a name that has its kind before it, "task:NAME"
// or "service:NAME": it has no name, or that of a workload of the other kind. It
// returns "" for any other name.
func wrongKind(env *environment.Environment, name string) string {
	bare, isTask := strings.CutPrefix(name, environment.TaskPrefix)
	kinds, otherKinds, other := environment.Tasks, environment.Services, "service"
	if !isTask {
		var isService bool
		bare, isService = strings.CutPrefix(name, environment.ServicePrefix)
		if !isService {
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
