package cli

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/event"
)

func (a *app) rollbackCommand() *cobra.Command {
	var how deployFlags
	var to string
	cmd := &cobra.Command{
		Use:   "rollback -e ENV SERVICE",
		Short: "Deploy the previous image of SERVICE whose rollout succeeded",
		Long: `The image of an older revision is deployed again, as a new revision with a
journal of its own. Without --to it is the previous image whose rollout is known
to have succeeded; a second rollback goes further back. ECR must still have the image.

` + severalHelp + `
Each is rolled back to its own previous image.`,
		Example: `deployer rollback -e prod backend --dry-run
deployer rollback -e prod backend --reason "the login is broken" --follow
deployer rollback -e prod backend --to 41`,
		Annotations: permissions(slices.Concat(
			deployActions, []string{"ecs:ListTaskDefinitions"}, platformActions, stageActions)...),
		Args: arguments("SERVICE"),
	}
	file := fileFlag(cmd)
	how.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "roll back to this `REVISION`: a number, or a tag for its newest revision")
	cmd.ValidArgsFunction = completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		env, c, err := a.loadChosen(*file, args[0])
		if err != nil {
			return err
		}
		if _, err := strconv.Atoi(to); err == nil && c.several {
			return wrongUsage("--to %s is the number of a revision, and each service has its own: roll back one "+
				"service at a time, or name a tag", to)
		}
		if c.all {
			return wrongUsage("'*' would also roll back services that the last release did not touch: name the "+
				"services, like %s", strings.Join(c.names(), ","))
		}
		return a.deploy(cmd.Context(), env, c.requests(event.Request{Rollback: true, To: to}), how)
	}
	return cmd
}
