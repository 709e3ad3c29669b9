package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
)

// argumentsOf returns what a flag is called whose value is an argument of a command, in the order of the arguments.
func argumentsOf(cmd *cobra.Command) (all []string) {
	names := map[string][]string{
		"SERVICE": {"service", "task"}, environment.TaskPrefix + "NAME": {"task"}, "TAG": {"tag"},
	}
	for word := range strings.FieldsSeq(cmd.Use) {
		for _, name := range names[strings.Trim(word, "[].")] {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// positional returns the command line with the values of flags that do not exist as arguments, in their order.
func (a *app) positional(arguments []string) string {
	var rest []string
	values := map[string]string{}
	for i := 0; i < len(a.args); i++ {
		name, value, given := strings.Cut(strings.TrimPrefix(a.args[i], "--"), "=")
		name = strings.ToLower(name)
		if !strings.HasPrefix(a.args[i], "--") || !slices.Contains(arguments, name) {
			rest = append(rest, a.args[i])
			continue
		}
		if !given && i+1 < len(a.args) {
			i++
			value = a.args[i]
		}
		if name == "task" && !strings.HasPrefix(value, environment.TaskPrefix) {
			value = environment.TaskPrefix + value
		}
		values[name] = value
	}
	for _, name := range arguments {
		if values[name] != "" {
			rest = append(rest, values[name])
		}
	}
	return commandLine(rest...)
}
