package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"deployer/internal/event"
)

func (a *app) redeployCommand() *cobra.Command {
	var how deployFlags
	var force bool
	cmd := &cobra.Command{
		Use:   "redeploy -e ENV SERVICE",
		Short: "Deploy the image that SERVICE runs with the newest configuration",
		Long: `The image that the service runs is deployed again, with the newest configuration of
the task definition family that another tool, such as Terraform, registered. The tag
may be on another image by now: the image is that of the running revision. A service
that runs the newest configuration already is not changed.

` + severalHelp + `
'*' (in quotes) is all services and tasks that run an image from ECR.

The event of this command is a DEPLOY with "action": "redeploy".`,
		Example: `deployer redeploy -e prod backend --dry-run
deployer redeploy -e prod backend --reason "more memory" --follow`,
		Annotations: permissions(slices.Concat(deployActions, platformActions, stageActions)...),
		Args:        arguments("SERVICE"),
	}
	file := fileFlag(cmd)
	how.add(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "roll out a new revision even if there is no newer configuration")
	cmd.ValidArgsFunction = completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env, c, err := a.loadChosen(*file, args[0])
		if err != nil {
			return err
		}
		if wrong := event.TooMany("'*' stands for %d services and tasks", len(c.workloads)); c.all && wrong != "" {
			return wrongUsage("%s: name them, in several commands", wrong)
		}
		return a.deploy(cmd.Context(), env, c.requests(event.Request{Redeploy: true, Force: force}), how)
	}
	return cmd
}
