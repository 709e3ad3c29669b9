package cli

import (
	"fmt"
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
		Args: a.rollbackArguments,
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
		if wrong := wrongRevision(to); wrong != "" {
			return wrongUsage("%s", wrong)
		}
		if isNumber(to) && c.several {
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

// rollbackArguments checks the arguments of rollback. A second one is what to roll back to
// if it is a number; anything else is probably the tag that is to be deployed.
func (a *app) rollbackArguments(cmd *cobra.Command, args []string) error {
	named := cmd.Flags().Changed("env") || cmd.Flags().Changed("file")
	if len(args) != 2 || !named || namesEnvironment(args[0]) || cmd.Flags().Changed("to") {
		return arguments("SERVICE")(cmd, args)
	}
	corrected := slices.Clone(a.args)
	if i := slices.Index(corrected, args[1]); i >= 0 && isNumber(args[1]) {
		corrected = slices.Insert(corrected, i, "--to")
	} else {
		corrected[0] = "deploy"
	}
	what := fmt.Sprintf("%q is one argument too many: rollback deploys the previous image, or that of --to", args[1])
	return &usageError{what, commandLine(corrected...)}
}

// wrongRevision returns what is wrong with the value of --to, "" if nothing is.
func wrongRevision(to string) string {
	n, err := strconv.Atoi(to)
	switch {
	case to == "":
		return ""
	case err == nil && n < 1:
		return "--to " + to + " is no revision: they are numbered from 1"
	case err == nil:
		return ""
	}
	return event.CheckTag(to)
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}
