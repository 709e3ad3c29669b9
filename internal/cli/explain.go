package cli

import (
	"fmt"
	"os"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/pipeline"
)

// explain is `deployer explain`: what an event would do here, without asking AWS.
func (c *cli) explain() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	account := c.flags.String("account", "", "the environment's account `ID`, if the file does not have it")
	args, err := c.parse("EVENT.json")
	if err != nil {
		return err
	}
	env, err := c.load(*file)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("reading the event: %w", err)
	}
	if env = env.In(*account); env.AccountID == "" {
		return fmt.Errorf("%s does not say which account the environment is, so a push cannot be told from another account's (add account_id to it, or use -account ID)", *file)
	}
	reading := event.Read(raw, env, time.Now())
	fmt.Fprintf(c.out, "%s by %s: %s\n", reading.Verdict, env.Name, reading.Reason)
	rejected := reading.Verdict == event.Rejected
	for _, r := range reading.Requests {
		if answer, ok := pipeline.NotYet(r); ok {
			fmt.Fprintf(c.out, "\n%s %s\n  %-9s %s\n", r.Workload.Kind, r.Workload.Name, answer.Status, answer.Reason)
			rejected = rejected || answer.Status == ecsdeploy.Rejected
			continue
		}
		c.explainRequest(env, r)
	}
	if reading.Verdict == event.Followed {
		fmt.Fprintf(c.out, "  ECS is asked what became of the rollout, and it is made known once\n")
	}
	if rejected {
		return errNotDone
	}
	return nil
}

func (c *cli) explainRequest(env *environment.Environment, r event.Request) {
	w := r.Workload
	fmt.Fprintf(c.out, "\n%s %s\n", w.Kind, w.Name)
	line := func(key, format string, args ...any) {
		fmt.Fprintf(c.out, "  %-9s %s\n", key, fmt.Sprintf(format, args...))
	}
	if w.Repository == "" {
		line("image", "%s, from outside ECR: it would be rejected", w.External)
		return
	}
	if r.Rollback {
		line("image", "that of the last revision whose rollout succeeded, if ECR still has it")
	} else {
		line("image", "%s, if ECR has it", w.Reference(r.Tag))
	}
	line("strategy", "%s: %s", env.Strategy.Name, env.Strategy.Why)
	line("cluster", "%s", env.Cluster)
	line("service", "%s", w.Pointer.Name())
	line("family", "%s, cloned from the %s revision, unless the service runs another family", w.Family, env.Base)
	line("container", "the one that runs %s, else %s", w.Repository, w.Container)
	if r.DryRun {
		line("then", "dry_run: it would say what would change, and change nothing")
	}
	if r.Push {
		line("policy", "pushes of %s deploy %s", env.AutoDeploy, env.Name)
	}
}
