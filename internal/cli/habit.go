package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// What people type out of habit, from other tools or because it reads well: the hints
// here have the command that does it.

// habits are commands of other tools, with the one that does the same here.
var habits = map[string]string{
	"check": "doctor", "diagnose": "doctor", "verify": "doctor",
	"get": "status", "list": "status", "ls": "status", "ps": "status", "services": "status", "show": "status",
	"tasks": "status", "top": "status",
	"log": "logs", "tail": "logs",
	"release": "deploy", "ship": "deploy",
	"abort": "stop", "cancel": "stop",
	"resume": "continue", "retry": "redrive", "replay": "redrive",
	"revert": "rollback", "undo": "rollback",
	"describe": "history", "deployments": "history", "revisions": "history", "why": "events",
	"lint": "validate", "publish": "send", "trigger": "send", "put-events": "send",
	"watch": "wait",
	"exec":  "run", "invoke": "run", "start": "run",
}

// withEnvFlag returns the command line with -e before an argument that is the name of an
// environment, for a command that takes one and of which none is named; "" if no argument
// is.
func (a *app) withEnvFlag(cmd *cobra.Command) string {
	flags := cmd.Flags()
	if cmd.Name() == "promote" {
		return a.withFromAndTo()
	}
	env := flags.Lookup("env")
	if env == nil || env.Changed || flags.Changed("file") || len(a.args) == 0 {
		return ""
	}
	named := func(arg string) bool {
		return strings.HasPrefix(arg, "-e") || strings.HasPrefix(arg, "--env") || strings.HasPrefix(arg, "-f") ||
			strings.HasPrefix(arg, "--file")
	}
	if slices.ContainsFunc(a.args, named) { // the flags of a faulty command line were not read
		return ""
	}
	for i, arg := range a.args[1:] {
		if isValue(cmd, a.args[i]) {
			continue
		}
		is := func(e found) bool { return e.name == arg }
		if slices.ContainsFunc(allEnvironments(), is) {
			return commandLine(slices.Insert(slices.Clone(a.args), i+1, "-e")...)
		}
	}
	return ""
}

// isValue reports whether the word after another one is the value of that flag.
func isValue(cmd *cobra.Command, before string) bool {
	flag, _ := parseFlag(cmd.Flags(), before)
	return flag != nil && flag.NoOptDefVal == "" && !strings.Contains(before, "=")
}

// withFromAndTo returns the command line of promote with --from and --to before the names of environments that have
// neither, or -e; "" if that does not name both.
func (a *app) withFromAndTo() string {
	var environments, rest []string
	named := map[string]string{}
	for i := 1; i < len(a.args); i++ {
		arg := a.args[i]
		flag, value, joined := strings.Cut(arg, "=")
		switch {
		case flag == "-e", flag == "--env": // the next argument, or what is joined, is an environment's name
			if joined {
				environments = append(environments, value)
			}
		case (flag == "--from" || flag == "--to") && joined:
			named[flag] = value
		case (flag == "--from" || flag == "--to") && i+1 < len(a.args):
			i++
			named[flag] = a.args[i]
		case slices.ContainsFunc(allEnvironments(), func(e found) bool { return e.name == arg }):
			environments = append(environments, arg)
		default:
			rest = append(rest, arg)
		}
	}
	if len(environments) == 0 {
		return ""
	}
	for _, flag := range []string{"--from", "--to"} {
		if named[flag] == "" && len(environments) > 0 {
			named[flag], environments = environments[0], environments[1:]
		}
	}
	if named["--from"] == "" || named["--to"] == "" || len(environments) > 0 {
		return ""
	}
	return commandLine(append([]string{"promote", "--from", named["--from"], "--to", named["--to"]}, rest...)...)
}
