package cli

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/resolve"
)

func (a *app) diffCommand() *cobra.Command {
	var how diffFlags
	cmd := &cobra.Command{
		Use:   "diff -e ENV SERVICE TAG | -e ENV -e ENV SERVICE",
		Short: "Show what deploying TAG would change, or compare two environments",
		Long: `The task definition that runs and the one that would be registered are compared
as a unified diff. Nothing is changed, and values of secrets and of environment
variables are not shown.

With two environments and no tag, what the service runs in both is compared: image,
environment variables, secrets, limits, roles, and the settings of the service. Each
account is read with its own credentials, as by status. Settings that differ only in
the environments' names, accounts and regions are counted, and shown with --all.
Values of environment variables, command lines and labels are hidden unless --values
is given; a secret is shown by its reference only.`,
		Example: `deployer diff -e prod backend git-abc123f
deployer diff -e staging -e prod backend
deployer diff -e staging -e prod backend --values --json`,
		Annotations: permissions("ecr:BatchGetImage", tagActions[0], "ecs:DescribeServices",
			"ecs:DescribeTaskDefinition", pointerReads[0], pointerReads[1]),
		Args: a.diffArguments,
	}
	files, look := filesFlag(cmd), lookFlags(cmd)
	cmd.Flags().BoolVar(&how.asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&how.values, "values", false, "of two environments: show values of environment variables too")
	cmd.Flags().BoolVar(&how.all, "all", false, "of two environments: show what differs only in their names too")
	cmd.ValidArgsFunction = a.completeServiceAndTag()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.meansTwoEnvironments(*files, args); err != nil {
			return err
		}
		file, err := a.oneEnvironment(*files, args)
		if err != nil {
			return err
		}
		if len(*files) == 2 {
			return a.diffEnvironments(cmd.Context(), *files, args[0], how, look.on(a.out))
		}
		if how.values || how.all {
			return wrongUsage("--values and --all are for two environments: name both with -e")
		}
		env, w, tag, err := a.loadServiceAndTag(file, args)
		if err != nil {
			return err
		}
		return a.diffTag(cmd.Context(), env, w, tag, how.asJSON)
	}
	return cmd
}

// diffTag shows what deploying a tag would change.
func (a *app) diffTag(
	ctx context.Context, env *environment.Environment, w environment.Workload, tag string, asJSON bool,
) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	s, err := a.connect(ctx, env)
	if err != nil {
		return err
	}
	image, err := resolve.New(s.config).Resolve(ctx, s.env, s.env.Current(w), tag)
	if err != nil {
		return a.withTags(ctx, s.config, s.env, s.env.Current(w), tag, err)
	}
	state, err := ecsdeploy.New(ecsservice.New(s.config)).Read(ctx, ecsservice.TargetOf(s.env, w))
	if err != nil {
		return err
	}
	change, err := state.Change(ecsdeploy.Order{Image: image, Form: s.env.ImageForm})
	if err != nil {
		return err
	}
	if change.Same {
		again := env.Command("deploy", w.Label(), tag, "--force")
		a.note("%s runs this image already; to roll it out again: %s", w.Label(), again)
	}
	if asJSON {
		return printJSON(a.out, plannedChange{env.Name, w.Label(), tag, change.Runs, change.Base, change.Same,
			change.Before, change.After})
	}
	after := revisionName(change.Base) + " with " + tag
	text := diff.Diff(revisionName(change.Runs), change.Before, after, change.After)
	if text == nil {
		a.note("nothing differs")
	}
	_, err = a.out.Write(text)
	return err
}

// plannedChange is what diff of one environment prints with --json.
type plannedChange struct {
	Environment string          `json:"environment"`
	Service     string          `json:"service"`
	Tag         string          `json:"tag"`
	Runs        string          `json:"runs"` // ARN of the revision that the service runs
	Base        string          `json:"base"` // ARN of the revision that would be cloned
	Same        bool            `json:"same"` // the service runs the image already, and would not be moved
	Before      json.RawMessage `json:"before"`
	After       json.RawMessage `json:"after"`
}

// revisionName returns family:revision of a revision's ARN.
func revisionName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
