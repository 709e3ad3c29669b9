package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/failure"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

const (
	// followTimeout limits how long the end of a rollout is waited for.
	followTimeout = 30 * time.Minute
	// startTimeout limits how long the start of a deployment is waited for that an
	// event asked for: Lambda retries a failed event after one and after three minutes.
	startTimeout = 5 * time.Minute
)

// follow shows a rollout until it has ended, and returns an error unless it succeeded.
// With it comes what a failed rollout left behind, which is printed.
func (a *app) follow(ctx context.Context, s *session, t ecsservice.Target, revision string) error {
	limit := followTimeout
	if a.patience > 0 {
		limit = a.patience
	}
	whole, p, rejoin := ctx, newProgress(a.err, t), cmp.Or(a.rejoin, t.Command("wait"))
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := s.rollouts().Follow(ctx, t, revision, func(now rollout.Progress) {
		p.show(now)
		if a.seen != nil {
			a.seen(now)
		}
	})
	p.end()
	if whole.Err() != nil {
		return &notEnded{hinted(rejoin, "interrupted: the rollout of %s goes on", revision)}
	}
	if err != nil && ctx.Err() != nil {
		tasks := ""
		if r.Desired > 0 {
			tasks = fmt.Sprintf(": %d of %d tasks run, %d failed", r.Running, r.Desired, r.Failed)
		}
		return &notEnded{hinted(rejoin, "the rollout of %s has not ended in %s%s; ECS keeps trying", revision, limit,
			tasks)}
	}
	if err != nil {
		return err
	}
	var left *failure.Report
	if r.Phase == journal.Failed || r.Phase == journal.Impaired {
		left = a.showFailure(whole, s, t, revision)
	}
	switch r.Phase {
	case journal.Failed:
		reason := r.Reason
		if reason != "" {
			reason = ": " + clause(reason)
		}
		return &rolloutError{r, left, hinted(t.Command("history"), "the rollout of %s failed%s; the service runs %s",
			revision, reason, r.Runs)}
	case journal.Impaired:
		return &rolloutError{r, left, hinted(t.Command("rollback"), "the rollout of %s is impaired: %s", revision,
			r.Reason)}
	case journal.Superseded:
		if t.Task {
			return &rolloutError{r, nil, hinted(t.Command("status"), "the deployment of %s was superseded: the next "+
				"run uses %s", revision, r.Runs)}
		}
		return &rolloutError{r, nil, hinted(t.Command("status"), "the rollout of %s was superseded by that of %s",
			revision, r.Runs)}
	}
	if t.Task {
		a.note("%s: the next run uses %s, %s", t.Workload, revision, r.NextRun)
		return nil
	}
	a.note("%s runs %s", t.Workload, revision)
	return nil
}
