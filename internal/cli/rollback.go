package cli

import "deployer/internal/event"

// rollback is `deployer rollback`: back to an image that ran well, as a new
// revision with a journal of its own.
func (c *cli) rollback() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	to := c.flags.String("to", "", "go back to this `REVISION`, by its number, or to the last one that was made for this TAG")
	how := c.manner()
	args, err := c.parse("SERVICE")
	if err != nil {
		return err
	}
	env, workload, err := c.fileAndService(*file, args[0])
	if err != nil {
		return err
	}
	return c.carryOut(env, event.Request{Workload: workload, Rollback: true, To: *to}, how)
}
