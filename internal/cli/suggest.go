package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"deployer/internal/environment"
	"deployer/internal/event"
)

// What people mistype: a command, a flag, a value, a service. The errors here say what
// there is, and their hint is the command line with what was probably meant.

// maxListed is how many names an error lists.
const maxListed = 40

// listed returns names with commas between them, and how many more there are.
func listed(names []string) string {
	text := strings.Join(names[:min(len(names), maxListed)], ", ")
	if more := len(names) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// corrected returns the command line with another word in place of one: an argument, a
// flag's value, or one of a list with commas. It returns "" if the word is not there.
func (a *app) corrected(wrong, right string) string {
	all := slices.Clone(a.args)
	for i, arg := range slices.Backward(all) {
		name, value, isFlag := strings.Cut(arg, "=")
		isFlag = isFlag && strings.HasPrefix(arg, "-")
		if !isFlag {
			name, value = "", arg
		}
		words := strings.Split(value, ",")
		at := slices.IndexFunc(words, func(word string) bool { return strings.TrimSpace(word) == wrong })
		switch {
		case value == wrong:
			value = right
		case at >= 0:
			words[at] = right
			value = strings.Join(words, ",")
		default:
			continue
		}
		all[i] = value
		if isFlag {
			all[i] = name + "=" + value
		}
		return commandLine(all...)
	}
	return ""
}

// unlike returns the [usageError] for a word that is none of those that there are. Its
// hint has the one that was probably meant.
func (a *app) unlike(what, wrong string, names []string) *usageError {
	e := &usageError{what: what}
	if near := nearest(wrong, names); near != "" {
		e.hint = a.corrected(wrong, near)
	}
	return e
}

// noChoice returns the error for a value that is none of the choices.
func (a *app) noChoice(noun, wrong string, choices []string) error {
	what := fmt.Sprintf("there is no %s %q: choose one of %s", noun, printable(wrong), listed(choices))
	return a.unlike(what, wrong, choices)
}

// noCommand returns the error for a command that does not exist.
func (a *app) noCommand(root *cobra.Command, wrong string) error {
	names := commandNames(root)
	e := a.unlike("", wrong, names)
	near := nearestOf(wrong, names)
	if habit := habits[wrong]; habit != "" {
		e.hint, near = a.corrected(wrong, habit), []string{habit}
	}
	e.what = fmt.Sprintf("there is no command %q: ", printable(wrong))
	if len(near) > 0 {
		e.what += "the nearest is " + strings.Join(near, ", ") + "; "
	}
	e.what += "deployer help lists all"
	if e.hint == "" {
		e.hint = "deployer help"
	}
	return e
}

// nearestOf returns the names that may be meant, at most three: they begin with the word, or are at
// most two edits away from it.
func nearestOf(wrong string, names []string) (near []string) {
	for _, name := range names {
		if len(near) < 3 && nearest(wrong, []string{name}) != "" {
			near = append(near, name)
		}
	}
	return near
}

// flagsOf says which flags a command has.
func flagsOf(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return cmd.Name() + " has " + listed(names)
}

// noWorkload returns the error for a name that no service and no task of the environment
// has. It says which there are, unless it knows what the name stands for.
func (a *app) noWorkload(env *environment.Environment, wrong string) *usageError {
	e, near := a.nameOfNone(env, wrong)
	if near != "" {
		e.hint = a.corrected(wrong, near)
	}
	if list := a.asList(env, wrong); near == "" && list != "" && a.isOneOf(takeLists...) {
		e.what, e.hint = fmt.Sprintf("%q is several names: write commas between them", printable(wrong)), list
	}
	return e
}

// nameOfNone is [app.noWorkload] without hint, and the name that was probably meant; "" if that is not known.
func (a *app) nameOfNone(env *environment.Environment, wrong string) (e *usageError, near string) {
	names, isTask := labels(env), strings.HasPrefix(wrong, environment.TaskPrefix)
	near = nearestWorkload(env, wrong)
	bare := strings.TrimPrefix(strings.TrimPrefix(wrong, environment.ServicePrefix), environment.TaskPrefix)
	service, isService := env.Find(bare, environment.Services...)
	e = &usageError{}
	task, taskThere := env.Find(bare, environment.Tasks...)
	special, label := event.Misnamed(env, "service", wrong)
	if special == "" && !taskThere {
		special, label = event.Misnamed(env, "task", bare)
	}
	switch {
	case wrong == "":
		e.what = "the service is empty: did a variable expand to nothing?"
	case taskThere: // service:NAME
		near, e.what = task.Label(), task.Name+" is a task, not a service"
	case isTask && isService:
		near, e.what = service.Name, service.Name+" is a service, not a task"
	case special != "":
		near, e.what = label, special
	case len(names) == 0:
		e.what = fmt.Sprintf("%s has no service and no task that can be deployed", env.File)
	default:
		e.what = fmt.Sprintf("service %q is not in the %s environment, which has %s", printable(wrong), env.Name,
			listed(names))
		if isTask {
			e.what = strings.Replace(e.what, "service", "task", 1)
		}
	}
	known := slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, wrong) })
	if strings.EqualFold(wrong, "all") && !known {
		e.what += "; deploy, send and redeploy take '*' for all services"
		if a.isOneOf("deploy", "send", "redeploy") {
			near = event.AllWorkloads
		}
	}
	return e, near
}

// isOneOf reports whether the command line is one of the given commands.
func (a *app) isOneOf(commands ...string) bool {
	return slices.ContainsFunc(a.args, func(arg string) bool { return slices.Contains(commands, arg) })
}

// nearestWorkload returns the label of the workload that a name was probably meant to be, or "".
func nearestWorkload(env *environment.Environment, wrong string) string {
	if near := nearest(wrong, env.Names(environment.Services...)); near != "" {
		return near
	}
	for _, name := range env.Names(environment.Tasks...) {
		label := environment.TaskPrefix + name
		if nearest(wrong, []string{label, name}) != "" {
			return label
		}
	}
	return ""
}
