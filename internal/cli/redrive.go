package cli

import (
	"context"
	"fmt"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/outcome"
	"deployer/internal/pipeline"
	"deployer/internal/redrive"
)

// redrive is `deployer redrive`: the events that a failure queue has kept, once more.
func (c *cli) redrive() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	queue := c.flags.String("queue", "", "the `URL` of the failure queue, or of the dead-letter queue of the rules")
	dryRun := c.flags.Bool("dry-run", false, "say what each event would do, change nothing and delete nothing")
	most := c.flags.Int("max", 0, "stop after `N` messages; 0 for all")
	if _, err := c.parse(); err != nil {
		return err
	}
	env, err := c.load(*file)
	if err != nil {
		return err
	}
	if *queue == "" {
		return usageError("-queue URL is missing: the queue to read")
	}
	if *most < 0 {
		return usageError(fmt.Sprintf("-max %d is less than nothing: 0 is for all", *most))
	}
	ctx, cancel := context.WithTimeout(c, time.Hour)
	defer cancel()
	env, config, _, err := c.credentials(ctx, env)
	if err != nil {
		return err
	}
	kept, done := 0, 0
	err = redrive.Run(ctx, config, *queue, pipeline.NewRedrive(env, config), *most, *dryRun, func(r redrive.Report) {
		switch {
		case r.Err != nil:
			kept++
			fmt.Fprintf(c.out, "%s: kept: %s\n", r.MessageID, r.Err)
		case *dryRun:
			done++
			why := ""
			if r.Why != "" {
				why = " (it is here because of " + outcome.Line(r.Why, 300) + ")"
			}
			status := r.Result.Status
			if status == ecsdeploy.Planned {
				status = ecsdeploy.Deployed
			}
			fmt.Fprintf(c.out, "%s: event %s would be %s: %s%s\n", r.MessageID, r.Result.EventID, status, r.Result.Reason, why)
		default:
			done++
			fmt.Fprintf(c.out, "%s: event %s %s: %s\n", r.MessageID, r.Result.EventID, r.Result.Status, r.Result.Reason)
		}
	})
	if err != nil {
		return err
	}
	words := "done"
	if *dryRun {
		words = "would be done"
	}
	fmt.Fprintf(c.err, "deployer: %d messages %s, %d kept\n", done, words, kept)
	if kept > 0 {
		return errNotDone
	}
	return nil
}
