package cli

import (
	"context"
	"fmt"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// How long the end of a rollout is waited for, and the beginning of one that an
// event asked for: Lambda tries an event that fails again after one minute and
// after two more.
const (
	followPatience = 30 * time.Minute
	awaitPatience  = 5 * time.Minute
)

// follow shows a rollout until it has ended, and returns an error unless it succeeded.
func (c *cli) follow(ctx context.Context, d *rollout.Client, t ecsservice.Target, revision string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, followPatience, fmt.Errorf("no end in %s (ECS goes on trying; look at the service's events)", followPatience))
	defer cancel()
	p := newProgress(c.err)
	r, err := d.Follow(ctx, t, revision, func(r rollout.Progress) { p.show(t.Workload, r) })
	p.end()
	if err != nil {
		return err
	}
	switch r.Phase {
	case journal.Failed:
		words := r.Reason
		if words != "" {
			words = ": " + words
		}
		return fmt.Errorf("the rollout of %s failed%s (the service runs %s; deployer history -f FILE %s shows what ran before)", revision, words, r.Runs, t.Workload)
	case journal.Superseded:
		return fmt.Errorf("the rollout of %s was superseded: the service is being moved to %s", revision, r.Runs)
	}
	fmt.Fprintf(c.err, "deployer: %s runs %s\n", t.Workload, revision)
	return nil
}
