package cli

import (
	"context"

	"github.com/spf13/cobra"

	"deployer/internal/ecsservice"
	"deployer/internal/rollout"
)

func (a *app) continueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "continue -e ENV SERVICE",
		Short: "Continue a paused deployment of SERVICE",
		Long: `A deployment that is paused by a PAUSE lifecycle hook of the service is continued.
"deployer status --json" shows at which stage it is paused, and until when.`,
		Example: `deployer continue -e prod backend`,
		Annotations: permissions("ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments",
			"ecs:ContinueServiceDeployment"),
	}
	a.changeDeployment(cmd, "continued", (*rollout.Client).Continue)
	return cmd
}

func (a *app) stopCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stop -e ENV SERVICE",
		Short: "Stop a deployment of SERVICE that is in progress, and roll it back",
		Long: `ECS stops the deployment and rolls the service back to the previous revision.
ECS cannot roll back a service's first deployment.`,
		Example: `deployer stop -e prod backend`,
		Annotations: permissions("ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments",
			"ecs:StopServiceDeployment"),
	}
	a.changeDeployment(cmd, "stopped", (*rollout.Client).Stop)
	return cmd
}

// deploymentChange changes the deployment of a service that is in progress, and
// returns it as it was before.
type deploymentChange func(*rollout.Client, context.Context, ecsservice.Target) (ecsservice.ServiceDeployment, error)

// changeDeployment makes a command change the deployment of a service that is in
// progress, and print how it was before.
func (a *app) changeDeployment(cmd *cobra.Command, done string, change deploymentChange) {
	file := fileFlag(cmd)
	asJSON := jsonFlag(cmd)
	cmd.Args, cmd.ValidArgsFunction = arguments("SERVICE"), completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, cancel := withTimeout(cmd.Context())
		defer cancel()
		s, target, err := a.connectTo(ctx, *file, args[0])
		if err != nil {
			return err
		}
		if target.Task {
			return hinted(target.Command("status"), "%s is a task: its deployment has ended once it was moved, so "+
				"there is nothing that could be %s", target.Workload, done)
		}
		before, err := change(s.rollouts(), ctx, target)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(a.out, changedDeployment{s.env.Name, target.Workload, done, before.ARN, before.Target,
				before.Stage, before.Paused()})
		}
		a.line("%s: %s: %s", target.Workload, done, describeDeployment(before))
		return nil
	}
}

// changedDeployment is what continue and stop print with --json: the deployment as it was before.
type changedDeployment struct {
	Environment string `json:"environment"`
	Service     string `json:"service"`
	Status      string `json:"status"`                  // "continued" or "stopped"
	Deployment  string `json:"deployment"`              // ARN of the service deployment
	Rollout     string `json:"deployment_id,omitempty"` // "ecs-svc/…", as in results and outcomes
	Stage       string `json:"stage,omitempty"`         // the lifecycle stage
	Paused      bool   `json:"paused"`
}

// describeDeployment returns a deployment's ARN, and where it stands.
func describeDeployment(d ecsservice.ServiceDeployment) string {
	text := d.ARN
	switch {
	case d.Paused() && d.Stage != "":
		text += ", paused at " + d.Stage
	case d.Paused():
		text += ", paused"
	case d.Stage != "":
		text += ", at " + d.Stage
	}
	return text
}
