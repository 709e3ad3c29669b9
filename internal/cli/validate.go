package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/stack"
)

func (a *app) validateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate FILE... | all",
		Short: "Check environment files",
		Long: `Every fault of every file is printed with its line and column. For a file without
faults, advice is printed, and the registry and how it was chosen; for production,
why it is production, and what deploys it. With "all", the environment files of the
directory project are checked, or those of the current directory if there is none.`,
		Example: `deployer validate project/dev.yaml project/prod.yaml
deployer validate all
deployer validate -e prod`,
		Annotations: map[string]string{filesAsArguments: "yes"},
		Args:        arguments("[FILE...]"),
	}
	named := filesFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		files, err := a.filesToCheck(*named, args)
		if err != nil {
			return err
		}
		var failed error
		for _, file := range files {
			if err := a.validate(file); !errors.Is(failed, errReportedUsage) && err != nil {
				failed = err
			}
		}
		return failed
	}
	return cmd
}

// filesToCheck returns the files that flags and arguments name, in which "all" stands
// for all environments.
func (a *app) filesToCheck(named, args []string) ([]string, error) {
	files := slices.Clone(named)
	for _, arg := range args {
		if arg != all {
			files = append(files, arg)
			continue
		}
		found := allEnvironments()
		if len(found) == 0 {
			return nil, a.unknownEnvironment(all)
		}
		for _, one := range found {
			files = append(files, one.file)
		}
	}
	if len(files) == 0 {
		return nil, a.errNoEnvironment()
	}
	return files, nil
}

// validate prints the faults of an environment file. Its error says that there are some, or
// that the file is none.
func (a *app) validate(file string) error {
	env, err := environment.Load(file)
	if err != nil {
		err = a.wrongEnvironment(file, err)
	}
	var faults environment.Faults
	if errors.As(err, &faults) {
		for text := range strings.Lines(faults.Error()) {
			a.line("%s", strings.TrimSuffix(text, "\n"))
		}
		return errNotDone
	}
	if err != nil {
		return a.reported(err)
	}
	for _, w := range slices.Concat(env.Warnings, env.Advice) {
		a.line("%s", w)
	}
	registry := env.Registry().String()
	if env.Registry().AccountID == "" {
		registry = "its own account in " + env.Region
	}
	a.line("%s: ok: %s, with images of %s (%s: %s)",
		file, env.Name, registry, env.Strategy.Name, env.Strategy.Why)
	if env.Production != "" {
		a.line("%s: %s", file, production(env))
	}
	if env.Replicated {
		a.line("%s: images come by replication: an event whose image is not in the registry yet waits "+
			"for %.0f minutes, also if its tag is misspelled", file, environment.ReplicationTime.Minutes())
	}
	parameters, err := stack.Parameters(env)
	if err != nil {
		a.line("%s: warning: the stack has no parameters for it: %v", file, err)
	} else if patterns := stack.Patterns(env, parameters); patterns != "" {
		a.line("%s: note: the stack's parameters: %s", file, patterns)
	}
	if not := stack.NotForwarded(env); not != "" {
		a.line("%s: note: the stack's parameters: %s", file, not)
	}
	return nil
}

// production says why an environment is production, and what deploys it.
func production(env *environment.Environment) string {
	pushes := "no push deploys it"
	if !env.AutoDeploy.IsEmpty() {
		pushes = "pushes of " + env.AutoDeploy.String() + " deploy it, because deployer.auto_deploy names them"
	}
	sources := "no DEPLOY event does"
	if len(env.DeploySources) > 0 {
		sources = "DEPLOY events from " + strings.Join(env.DeploySources, ", ") + " do"
	}
	text := env.Name + " is production (" + env.Production + "): " + pushes + "; " + sources
	if byPart := strings.HasPrefix(env.Production, "env has the part"); byPart &&
		(env.AutoDeploy.IsEmpty() || slices.Contains(env.DeploySources, "action.production")) {
		text += "; if that is wrong, name the tags in deployer.auto_deploy, and the sources in deployer.deploy_sources"
	}
	return text
}
