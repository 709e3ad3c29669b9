package rollout

import (
	"time"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// Observation is what ECS and the journals show about one rollout of a service.
type Observation struct {
	Found    bool           // ECS lists the rollout, or a journal has its id
	Deleted  bool           // the service was deleted
	ID       string         // ECS's id of the rollout
	Accepted time.Time      // when ECS accepted the rollout; zero if ECS no longer lists it
	Revision journal.Record // the revision that is rolled out
	Previous journal.Record // the revision that ran before; zero if that is not known
	Runs     journal.Record // the revision that the service runs, or is being moved to

	Primary         bool      // the rollout is the service's newest
	PrimaryID       string    // ECS's id of the service's newest rollout; "" if it has none
	PrimaryAccepted time.Time // when ECS accepted that; zero if it has none
	InProgress      bool      // the rollout has not ended
	BreakerEnabled  bool      // a circuit breaker or an alarm ends failing rollouts
	BreakerRollback bool      // and then ECS rolls the service back

	// IsRollback means that the rollout is ECS's rollback of a failed one.
	IsRollback     bool
	RollbackReason string // ECS's reason for it; "" if ECS no longer shows it
	// RollbackOf is the revision whose rollout failed, with the id of that
	// rollout; zero if it is not known.
	RollbackOf journal.Record
	// RollbackCertain means that ECS says so: by its reason while the rollback is in progress, or
	// by its service deployments. Otherwise an older revision has replaced a newer one.
	RollbackCertain bool
	// RollbackReported means that it was reported with that failure.
	RollbackReported bool
	// RollbackRequested means that ECS's service deployment shows that neither the circuit breaker
	// nor an alarm made it roll back. RequestedReason is ECS's reason; "" if there is none.
	RollbackRequested bool
	RequestedReason   string

	// Moves means that the rollout moves the service to an older revision without being ECS's
	// rollback. MovedBack means that such a rollout has replaced this one.
	Moves, MovedBack bool

	// NoteRevision is the revision whose journal has what was reported of an external rollout; zero
	// if there is none. Reported is what this process reported.
	NoteRevision journal.Record
	Reported     journal.Steps

	// SameEvent is what was reported of its event with other revisions.
	SameEvent SameEvent
	// By is what superseded the rollout for good, if its event is so late that ECS no longer
	// lists the rollout; else zero.
	By outcome.Newer
	// FailedForCertain means that ECS's service deployment shows that the rollout was, or is
	// being, rolled back.
	FailedForCertain bool

	// RolledBackByID is ECS's id of the rollback of the observed rollout, "" if none is
	// known, and RolledBackTo the revision that it restores.
	RolledBackByID string
	RolledBackTo   journal.Record

	Hook ecsservice.HookState // of a hook's event

	// Shifts means that the rollout shifts traffic: then Shifted is its phase by its
	// service deployment, and ShiftedReason ECS's reason for it. Shifted is "" if ECS
	// lists no service deployment of it. They are only read when it has completed.
	Shifts        bool
	Shifted       journal.Phase
	ShiftedReason string

	// Replaced are the deployer's own rollouts that this one replaced before they
	// ended.
	Replaced []Replaced
}

// Replaced is a rollout that another one replaced before it ended.
type Replaced struct {
	Revision journal.Record // with the id of the rollout
	// Newer means that it is a newer revision than the one that replaced it. That
	// is a rollback, unless ECS reports it as a deployment of its own.
	Newer bool
	// By is what superseded it for good, if ECS's service deployments show that; else
	// the observed rollout did.
	By outcome.Newer
	// RolledBackByID, RolledBackTo and Reason are those of ECS's rollback of it, which had not
	// ended either: then it has failed. RolledBackByID is "" if there was none.
	RolledBackByID string
	RolledBackTo   journal.Record
	Reason         string
}

// ownRollout is the longest time from the registration of a revision to the deployer's
// own rollout of it: one invocation does both.
const ownRollout = time.Duration(converge.OwnRollout)

// Foreign reports whether the rollout is an external deployment: the rollout of a
// revision without a journal, another rollout of one whose own was noted or has ended, or
// one that began long after the registration.
func (o Observation) Foreign() bool {
	r := o.Revision
	another := (r.Outcome.IsEnd() || r.DeploymentID != "") && r.DeploymentID != o.ID
	late := r.DeploymentID != o.ID && !r.Registered.IsZero() && o.Accepted.Sub(r.Registered) > ownRollout
	return r.Foreign || another || late
}

// RolledBack reports whether a failed rollout is or was rolled back, and no newer
// one has replaced it instead.
func (o Observation) RolledBack() bool {
	switch {
	case o.Deleted, o.MovedBack:
		return false
	case o.RolledBackByID != "":
		return true
	}
	return o.Runs.TaskDefinition != o.Revision.TaskDefinition && !o.newerRuns()
}

// newerRuns reports whether a newer rollout has replaced the observed one. It is a
// rollback if the revision had been rolled out before.
func (o Observation) newerRuns() bool {
	again := o.Runs.Outcome == journal.Succeeded && o.Runs.DeploymentID != o.PrimaryID
	return !o.Primary && o.Runs.Revision > o.Revision.Revision && !again
}

// Shows reports whether the observation is recent enough for an event: it shows
// the rollout, and for a failed one the rollback if ECS makes one.
func (o Observation) Shows(e event.Rollout) bool {
	switch e.Step {
	case event.TasksImpaired:
		return true
	case event.RolloutCompleted:
		ended := o.Shifted != "" && o.Shifted != journal.RollingOut
		return o.Found && (!o.Shifts || ended || o.Deleted || o.IsRollback)
	case event.RolloutFailed:
		return o.Found && (o.Deleted || o.IsRollback || !o.BreakerRollback || o.RolledBack() || o.MovedBack ||
			o.newerRuns())
	}
	return o.Found
}

// maxJournalSearch is how many revisions before the newest are searched for a
// rollout that ECS no longer lists.
const maxJournalSearch = 20
