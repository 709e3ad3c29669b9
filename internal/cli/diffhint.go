package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
)

// namesEnvironment reports whether a word is the name of an environment.
func namesEnvironment(word string) bool { return slices.Contains(namesOf(allEnvironments()), word) }

// withEnvironments returns a command line of diff with -e before each argument that is the
// name of an environment, and once for each name of a list with commas. It also returns how
// many environments that names.
func (a *app) withEnvironments(args []string) (hint string, count int) {
	corrected, rest := []string{}, len(args)
	for i := 0; i < len(a.args); i++ {
		arg := a.args[i]
		switch {
		case (arg == "-e" || arg == "--env") && i+1 < len(a.args):
			i++
			for name := range strings.SplitSeq(a.args[i], ",") {
				corrected = append(corrected, arg, strings.TrimSpace(name))
				count++
			}
			continue
		case strings.HasPrefix(arg, "-e") || strings.HasPrefix(arg, "--env=") || strings.HasPrefix(arg, "-f") ||
			strings.HasPrefix(arg, "--file"):
			count++
		case slices.Contains(args, arg) && namesEnvironment(arg):
			corrected = append(corrected, "-e")
			count++
			rest--
		}
		corrected = append(corrected, arg)
	}
	if rest == 0 && a.args[0] == "diff" {
		corrected = append(corrected, "SERVICE")
	}
	return commandLine(corrected...), count
}

// diffArguments checks the number of diff's arguments: a service and a tag, or a service in
// two environments. How many environments there are is not known yet.
func (a *app) diffArguments(cmd *cobra.Command, args []string) error {
	hint, count := a.withEnvironments(args)
	switch {
	case len(args) == 0:
		return a.noServiceToCompare(cmd, hint, count)
	case len(args) > 2 && count == 2:
		return &usageError{"an environment is named with -e", hint}
	case len(args) == 1:
		return nil
	}
	return arguments("SERVICE", "TAG")(cmd, args)
}

// noServiceToCompare is the error for a command line without arguments. It says which
// services the first environment has. An environment that does not exist is reported first.
func (a *app) noServiceToCompare(cmd *cobra.Command, hint string, count int) error {
	e := &usageError{what: "SERVICE is missing"}
	names, err := cmd.Flags().GetStringArray("env")
	if err != nil || len(names) == 0 {
		return e
	}
	var first string // the first environment's file
	for name := range strings.SplitSeq(strings.Join(names, ","), ",") {
		file, err := a.findEnvironment(name)
		if err != nil && name != all {
			return err
		}
		first = cmp.Or(first, file)
	}
	if count == 2 {
		e.hint = hint
	}
	if env, err := environment.Load(first); err == nil && len(labels(env)) > 0 {
		e.what += ": " + env.Name + " has " + listed(labels(env))
		e.hint = strings.Replace(e.hint, "SERVICE", labels(env)[0], 1)
	}
	return e
}

// meansTwoEnvironments returns the error for a command line that has the name of an
// environment in place of the service, nil if it has not.
func (a *app) meansTwoEnvironments(files, args []string) error {
	hint, count := a.withEnvironments(args)
	if len(files) > 1 || count != 2 || !namesEnvironment(args[0]) {
		return nil
	}
	if len(files) == 1 {
		env, err := environment.Load(files[0])
		if err != nil {
			return nil // it is reported
		}
		if _, found := env.Find(args[0], environment.Services...); found {
			return nil
		}
	}
	what := fmt.Sprintf("%s is an environment, not a service: name both environments with -e", args[0])
	return &usageError{what, hint}
}
