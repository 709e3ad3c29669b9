package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/stack"
)

func (a *app) paramsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "params -f FILE [NAME=VALUE...]",
		Short: "Print the parameters of the deployer's stack for an environment",
		Long: `The parameters of deploy/template.yaml are derived from the environment file.
Arguments set the ones that the file does not determine; NAME= sets one to its
default. Every parameter is printed, because sam deploy keeps the previous value
of one that is left out: repeat the arguments at each update of the stack.`,
		Example: `deployer params -f project/prod.yaml --format samconfig > samconfig.toml
deployer params -f project/prod.yaml AlarmTopicArn=arn:aws:sns:us-east-1:333333333333:alarms`,
		Args: arguments("[NAME=VALUE...]"),
	}
	file := fileFlag(cmd)
	cmd.Flags().StringVar(&format, "format", "sam", "output `FORMAT`: sam, samconfig or tfvars")
	completeFormats(cmd, stack.Formats...)
	cmd.RunE = func(_ *cobra.Command, more []string) error {
		if !slices.Contains(stack.Formats, format) {
			return wrongUsage("there is no format %q: choose one of %s", format, strings.Join(stack.Formats, ", "))
		}
		env, err := a.load(*file)
		if err != nil {
			return err
		}
		parameters, err := stack.Parameters(env, more...)
		if err != nil {
			return err
		}
		text, err := stack.Format(format, env, parameters)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(a.out, text)
		return err
	}
	return cmd
}

// completeFormats completes the values of the flag --format.
func completeFormats(cmd *cobra.Command, formats ...string) {
	complete := cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("format", complete) // fails only for a flag that does not exist
}
