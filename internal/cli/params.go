package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/stack"
)

func (a *app) paramsCommand() *cobra.Command {
	var format string
	var registry, archive bool
	cmd := &cobra.Command{
		Use:   "params -e ENV [NAME=VALUE...]",
		Short: "Print the parameters of the deployer's stack for an environment",
		Long: `The parameters of deploy/template.yaml are derived from the environment file.
Arguments set the ones that the file does not determine; NAME= sets one to its
default. Every parameter is printed, because sam deploy keeps the previous value
of one that is left out: repeat the arguments at each update of the stack.

With --registry, the parameters are those of deploy/registry.yaml: the stack of
the repositories of an environment with ecr_strategy local. The aws commands that
use them are printed on standard error. Its formats are json, tfvars, and for
repositories that exist import and change-set.

The default format is sam, with --registry json.`,
		Example: `deployer params -e prod --format samconfig > samconfig.toml
deployer params -e prod AlarmTopicArn=arn:aws:sns:us-east-1:333333333333:alarms
deployer params -e dev --registry OrganizationId=o-a1b2c3d4e5 > registry.json`,
		Args: arguments("[NAME=VALUE...]"),
	}
	file, account := fileFlag(cmd), accountFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&format, "format", "", "output `FORMAT`: sam, samconfig, tfvars or json; see above for --registry")
	flags.BoolVar(&registry, "registry", false, "print the parameters of the stack of the repositories")
	flags.BoolVar(&archive, "archive", false, "with --registry: archive images instead of deleting them")
	completeFormats(cmd, func() []string {
		if registry {
			return stack.RegistryFormats
		}
		return stack.Formats
	})
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, more []string) error {
		formats := stack.Formats
		if registry {
			formats = stack.RegistryFormats
		}
		switch {
		case *asJSON && format != "" && format != "json":
			return wrongUsage("--json and --format %s exclude each other", printable(format))
		case *asJSON:
			format = "json"
		case format == "":
			format = formats[0]
		}
		if !slices.Contains(formats, format) {
			return a.noChoice("format", format, formats)
		}
		if archive && !registry {
			return wrongUsage("--archive is for the repositories of --registry")
		}
		env, err := a.loadIn(*file, *account)
		if err != nil {
			return err
		}
		if registry {
			return a.registryParams(env, format, archive, more)
		}
		return a.params(env, format, more)
	}
	return cmd
}

// params prints the parameters of the deployer's stack.
func (a *app) params(env *environment.Environment, format string, more []string) error {
	parameters, err := stack.Parameters(env, more...)
	if err != nil {
		return a.wrongSetting(err)
	}
	if env.Production != "" {
		a.note("%s", production(env))
	}
	if !slices.ContainsFunc(more, func(setting string) bool { return strings.HasPrefix(setting, "ForwardPushesTo=") }) {
		a.noteForwarding(env, parameters)
	}
	for _, shared := range sharedNames(env, neighbours(env.File)) {
		a.note("%s", shared)
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

// wrongSetting returns the [usageError] for a setting that the stack does not have, or does
// not accept; another error as it is.
func (a *app) wrongSetting(err error) error {
	var setting *stack.SettingError
	if !errors.As(err, &setting) {
		return err
	}
	e := &usageError{what: err.Error()}
	name, value, _ := strings.Cut(setting.Given, "=")
	if near := nearest(name, setting.Names); near != "" && near != name {
		e.what += "; did you mean " + near + "?"
		e.hint = a.corrected(setting.Given, near+"="+value)
	}
	return e
}

// noteForwarding notes which of ecr_trusted_accounts receive pushes by default.
func (a *app) noteForwarding(env *environment.Environment, parameters []stack.Parameter) {
	if slices.ContainsFunc(parameters, func(p stack.Parameter) bool {
		return p.Name == "ForwardPushesTo" && p.Value != ""
	}) {
		a.note("pushes are forwarded to the accounts of ecr_trusted_accounts; where no push deploys, leave the " +
			"account out: ForwardPushesTo=ARNS, or ForwardPushesTo= for none")
	}
	if not := stack.NotForwarded(env); not != "" {
		a.note("%s", not)
	}
}

// registryParams prints the parameters of the stack of an environment's repositories, and on standard error how to
// use them.
func (a *app) registryParams(env *environment.Environment, format string, archive bool, more []string) error {
	parameters, err := stack.RegistryParameters(env, archive, more...)
	var split *stack.SplitError
	switch {
	case errors.As(err, &split):
		return a.inStacks(split)
	case err != nil:
		return a.wrongSetting(err)
	}
	text, err := stack.FormatRegistry(format, parameters)
	if err != nil {
		return err
	}
	beside := neighbours(env.File)
	for _, shared := range sharedNames(env, beside) {
		a.note("%s", shared)
	}
	for _, other := range beside {
		if shared := stack.SharedRepositories(env, other); len(shared) > 0 {
			a.note("%s of %s has the same repositories in account %s, such as %s: create this stack with one of the "+
				"files only", other.Name, other.File, env.AccountID, shared[0])
		}
	}
	if !slices.ContainsFunc(parameters, func(p stack.Parameter) bool {
		return p.Value != "" && (p.Name == "ReaderAccountIds" || p.Name == "OrganizationId")
	}) {
		a.note("no other account may pull: %s has no ecr_trusted_accounts; to allow others, name them: "+
			"ReaderAccountIds=111111111111,222222222222 or OrganizationId=o-a1b2c3d4e5", env.File)
	}
	if format == "import" {
		a.note("the import sets the policies of the repositories, and removes a policy that they have if no reader is "+
			"named: name every account that pulls now (aws ecr get-repository-policy --region %s --repository-name "+
			"NAME)",
			env.Region)
	}
	if intro, steps := stack.RegistrySteps(env, format, parameters); len(steps) > 0 {
		a.note("%s", intro)
		for _, step := range steps {
			fmt.Fprintf(a.err, "  %s\n", step) // to be copied
		}
	}
	_, err = fmt.Fprint(a.out, text)
	return err
}

// inStacks adds to the error of repositories that one stack cannot have the command for each of the stacks that can.
func (a *app) inStacks(err *stack.SplitError) error {
	const setting = "Repositories="
	given := slices.DeleteFunc(slices.Clone(a.args), func(arg string) bool { return strings.HasPrefix(arg, setting) })
	var commands []string
	for _, part := range err.Parts {
		commands = append(commands, commandLine(append(slices.Clone(given), setting+part)...))
	}
	return hinted(strings.Join(commands, "; "), "%w", err)
}

// completeFormats completes the values of the flag --format with those that the command takes then.
func completeFormats(cmd *cobra.Command, formats func() []string) {
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return formats(), cobra.ShellCompDirectiveNoFileComp
	}
	_ = cmd.RegisterFlagCompletionFunc("format", complete) // fails only for a flag that does not exist
}
