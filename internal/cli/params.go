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
	file, account := fileFlag(cmd), accountFlag(cmd)
	cmd.Flags().StringVar(&format, "format", "sam", "output `FORMAT`: sam, samconfig or tfvars")
	completeFormats(cmd, stack.Formats...)
	cmd.RunE = func(_ *cobra.Command, more []string) error {
		if !slices.Contains(stack.Formats, format) {
			return wrongUsage("there is no format %q: choose one of %s", format, strings.Join(stack.Formats, ", "))
		}
		env, err := a.loadIn(*file, *account)
		if err != nil {
			return err
		}
		parameters, err := stack.Parameters(env, more...)
		if err != nil {
			return err
		}
		if env.Production != "" {
			a.note("%s", production(env))
		}
		if len(env.TrustedAccounts) > 0 && !slices.ContainsFunc(more, func(setting string) bool {
			return strings.HasPrefix(setting, "ForwardPushesTo=")
		}) {
			a.note("pushes are forwarded to the accounts of ecr_trusted_accounts; where no push deploys, leave the " +
				"account out: ForwardPushesTo=ARNS, or ForwardPushesTo= for none")
		}
		if patterns := stack.Patterns(env, parameters); patterns != "" {
			a.note("%s", patterns)
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
