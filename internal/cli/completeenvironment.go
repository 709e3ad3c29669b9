package cli

import (
	"math"
	"slices"

	"github.com/spf13/cobra"
)

// completeEnvironments completes the name of an environment.
func completeEnvironments(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return namesOf(allEnvironments()), cobra.ShellCompDirectiveNoFileComp
}

// completeMoreEnvironments completes the flag -e with the environments that the command takes beside those that are
// named already.
func completeMoreEnvironments(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	given, _ := cmd.Flags().GetStringArray("env") // every command that is completed so has it
	slices.Sort(given)
	given = slices.Compact(given) // completion reads the flags twice
	if len(given) >= maxEnvironments(cmd, args) || slices.Contains(given, all) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, name := range namesOf(allEnvironments()) {
		if !slices.Contains(given, name) {
			names = append(names, name)
		}
	}
	if maxEnvironments(cmd, args) == anyNumber {
		names = append(names, all)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// anyNumber stands for no limit of the environments that a command takes.
const anyNumber = math.MaxInt

// maxEnvironments returns how many environments a command takes with some arguments.
func maxEnvironments(cmd *cobra.Command, args []string) int {
	switch {
	case !isSeveral(cmd), cmd.Name() == "policy" && len(args) > 0 && args[0] != policyOfSeveral:
		return 1
	case cmd.Name() == "diff" && len(args) > 1: // with a tag
		return 1
	case cmd.Name() == "diff":
		return 2
	}
	return anyNumber
}
