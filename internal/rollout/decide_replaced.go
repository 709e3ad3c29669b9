package rollout

import (
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// endReplaced returns the reports on the rollouts that the observed one replaced:
// as failed if ECS was rolling them back, else as superseded. An older revision
// replaces a newer one only if ECS reports a deployment of its own.
func (r received) endReplaced() (all []Draft) {
	if r.seen.IsRollback || r.seen.Deleted {
		return nil
	}
	own := false
	switch r.event.Step {
	case event.RolloutStarted: // with a reason that does not say that it is a rollback
		own = r.event.Reason != ""
	case event.RolloutCompleted:
		own = !r.seen.Foreign() || r.seen.Moves
	case event.RolloutFailed:
	default:
		return nil
	}
	for _, one := range r.seen.Replaced {
		id := one.Revision.DeploymentID
		d := Draft{Revision: one.Revision, DeploymentID: id,
			Note: journal.Note{DeploymentID: id, Finished: r.at}}
		switch {
		case one.RolledBackByID != "":
			d.Kind, d.Note.Outcome, d.Note.RolledBackBy = outcome.DeploymentFailed, journal.Failed, one.RolledBackByID
			d.ECSReason, d.RolledBackTo = one.Reason, revisionOf(one.RolledBackTo)
			if d.ECSReason == "" {
				d.Problem = "ECS rolled the service back"
			}
			d = d.explained()
		case one.Newer && !own:
			continue
		default:
			d.Kind, d.Note.Outcome = outcome.DeploymentSuperseded, journal.Superseded
			d.SupersededBy = one.By
			if one.By == (outcome.Newer{}) {
				d.SupersededBy = outcome.Newer{EventID: r.seen.Revision.Cause.ID, DeploymentID: r.seen.ID}
			}
		}
		all = append(all, d)
	}
	return all
}
