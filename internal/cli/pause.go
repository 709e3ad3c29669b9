package cli

import (
	"context"
	"fmt"

	"deployer/internal/ecsservice"
	"deployer/internal/rollout"
)

// goOn is `deployer continue`: a paused deployment goes on.
func (c *cli) goOn() error {
	return c.ongoing("continued", func(ctx context.Context, d *rollout.Client, t ecsservice.Target) (ecsservice.ServiceDeployment, error) {
		return d.Continue(ctx, t)
	})
}

// stop is `deployer stop`: a deployment in progress ends.
func (c *cli) stop() error {
	abort := c.flags.Bool("abort", false, "leave the service as it is, instead of rolling it back to what ran before")
	return c.ongoing("stopped", func(ctx context.Context, d *rollout.Client, t ecsservice.Target) (ecsservice.ServiceDeployment, error) {
		return d.Stop(ctx, t, *abort)
	})
}

// ongoing does something with the deployment of a service that is in progress,
// and says what became of it.
func (c *cli) ongoing(became string, do func(context.Context, *rollout.Client, ecsservice.Target) (ecsservice.ServiceDeployment, error)) error {
	file := c.flags.String("f", "", "the environment `FILE`")
	args, err := c.parse("SERVICE")
	if err != nil {
		return err
	}
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	_, d, target, err := c.target(ctx, *file, args[0])
	if err != nil {
		return err
	}
	was, err := do(ctx, d, target)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s: %s: %s\n", target.Workload, became, describeOngoing(was))
	return err
}

// describeOngoing says of a deployment which it is and where it stood.
func describeOngoing(was ecsservice.ServiceDeployment) string {
	text := was.ARN
	switch {
	case was.Paused() && was.Stage != "":
		text += ", paused at " + was.Stage
	case was.Paused():
		text += ", paused"
	case was.Stage != "":
		text += ", at " + was.Stage
	}
	return text
}
