package cli

import (
	"github.com/spf13/cobra"

	"deployer/internal/environment"
)

// completeServices completes arguments with the services of the command's environment:
// the first limit arguments, all if limit is 0.
func completeServices(_ *string, limit int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		env, err := environment.Load(fileOf(cmd))
		if err != nil || limit > 0 && len(args) >= limit {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return env.Names(environment.Services...), cobra.ShellCompDirectiveNoFileComp
	}
}
