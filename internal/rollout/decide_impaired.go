package rollout

import (
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// Why a rollout is impaired, without characters that the value of a tag cannot have: the journal has it too.
const (
	impairedWithBreaker = "its tasks do not start and the circuit breaker of the service has not ended the rollout"
	impairedForever     = "its tasks do not start and the service has no circuit breaker to end the rollout: " +
		"ECS keeps trying"
)

// impaired handles SERVICE_TASK_START_IMPAIRED. It reports the rollout as impaired
// once, whether or not a circuit breaker will end it: ECS may take a quarter of an
// hour for that, and sends no other event meanwhile.
func (r received) impaired() Decision {
	o := r.seen
	switch {
	case o.Deleted, !o.InProgress:
		return nothing("no rollout is in progress: tasks of the running revision do not start")
	case o.IsRollback:
		return nothing("tasks of ECS's rollback do not start: its failure is reported when ECS ends it")
	}
	if d, done := r.alreadyReported(journal.Impaired, journal.Failed, journal.Superseded); done {
		return d
	}
	d := r.draft(outcome.DeploymentImpaired, "") // see [journal.Note]
	if o.Revision.Outcome != "" {
		d.Note.Outcome = journal.Impaired // it was superseded before, and is rolled out again
	}
	d.Problem = impairedForever
	if o.BreakerEnabled {
		d.Problem = impairedWithBreaker
	}
	return Decision{Drafts: []Draft{d.explained()}}
}
