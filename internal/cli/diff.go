package cli

import (
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/resolve"
)

func (a *app) diffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff -e ENV SERVICE TAG",
		Short: "Show what deploying TAG would change of the task definition",
		Long: `The task definition that runs and the one that would be registered are compared
as a unified diff. Nothing is changed, and values of secrets and of environment
variables are not shown.`,
		Example: `deployer diff -e prod backend git-abc123f`,
		Annotations: permissions("ecr:BatchGetImage", tagActions[0], "ecs:DescribeServices",
			"ecs:DescribeTaskDefinition", pointerReads[0], pointerReads[1]),
		Args: arguments("SERVICE", "TAG"),
	}
	file := fileFlag(cmd)
	cmd.ValidArgsFunction = a.completeServiceAndTag()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env, w, tag, err := a.loadServiceAndTag(*file, args)
		if err != nil {
			return err
		}
		ctx, cancel := withTimeout(cmd.Context())
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
			again := commandLine("deploy", "-f", env.File, w.Label(), tag, "--force")
			a.note("%s runs this image already; to roll it out again: %s", w.Label(), again)
		}
		after := revisionName(change.Base) + " with " + tag
		text := diff.Diff(revisionName(change.Runs), change.Before, after, change.After)
		if text == nil {
			a.note("nothing differs")
		}
		_, err = a.out.Write(text)
		return err
	}
	return cmd
}

// revisionName returns family:revision of a revision's ARN.
func revisionName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
