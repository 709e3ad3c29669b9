package journal

import (
	"cmp"
	"strings"
	"time"

	"deployer/internal/event"
	"deployer/internal/image"
)

// Phase is the phase of a revision's rollout.
type Phase string

// The phases of a rollout, as the journal and JSON output spell them.
const (
	RollingOut Phase = "rolling out"
	Impaired   Phase = "impaired"   // tasks do not start, and the rollout has not ended
	Succeeded  Phase = "succeeded"  // the service runs the revision
	Failed     Phase = "failed"     // ECS ended the rollout, and may roll it back
	Superseded Phase = "superseded" // a newer deployment replaced it

	// Unchanged means that there was no rollout: what ran had the image already, and the
	// revision is only a record of its event. Only the journals of tasks have it.
	Unchanged Phase = "unchanged"
)

// IsEnd reports whether a rollout in the phase has ended.
func (p Phase) IsEnd() bool { return p == Succeeded || p == Failed || p == Superseded }

// Revision is the part of a task definition revision that a record needs.
type Revision struct {
	ARN        string
	Number     int
	Registered time.Time
	Inactive   bool              // it was deregistered
	Image      string            // the image reference of the workload's container
	Tags       map[string]string // all of its tags

	RegisteredBy string // ARN of the principal that registered it, as ECS says; "" if it does not
	Service      string // the [ServiceName] of the service for which its journal counts; "" for any
}

// Record is a revision together with its journal. Fields that the journal does not
// have are zero. Its JSON is part of what `deployer history` and `deployer status`
// print as JSON.
type Record struct {
	TaskDefinition string    `json:"task_definition"` // ARN of the revision
	Revision       int       `json:"revision"`        // its number
	Registered     time.Time `json:"registered,omitzero"`
	Inactive       bool      `json:"inactive,omitempty"` // deregistered: no service can be moved to it

	Image  string `json:"image,omitempty"`  // the image reference of the workload's container
	Tag    string `json:"tag,omitempty"`    // the tag that was asked for; else the reference's own
	Digest string `json:"digest,omitempty"` // of the image; "" if it runs by a tag and the digest is not known

	event.Cause            // the event that the revision was registered for
	Previous     string    `json:"previous,omitempty"`      // ARN of the revision that ran when this one was registered
	Restores     string    `json:"restores,omitempty"`      // ARN of the revision that this one, a rollback, restores
	Foreign      bool      `json:"foreign,omitempty"`       // another tool registered it; a journal was copied
	Outcome      Phase     `json:"outcome,omitempty"`       // "" if nothing is known of the rollout
	Finished     time.Time `json:"finished,omitzero"`       // when the rollout ended
	Why          string    `json:"why,omitempty"`           // ECS's reason for a failure
	RolledBackBy string    `json:"return,omitempty"`        // ECS's id of the rollout that rolled it back
	Stopped      string    `json:"stopped_tasks,omitempty"` // why tasks stopped, as ECS says it
	DeploymentID string    `json:"deployment_id,omitempty"` // ECS's id of the rollout, "ecs-svc/…"

	// Hooks are the steps of its lifecycle hooks, and of external rollouts of it and of
	// the revisions after it, that were reported.
	Hooks Steps `json:"-"`

	// Other means that the deployer registered the revision for another service that
	// shares the family. It is Foreign too, and it is no part of this service's history
	// unless the service runs it.
	Other bool `json:"-"`

	CopyOf int  `json:"-"` // number of the revision that it is a copy of; 0 if it is none
	Rule   Rule `json:"-"` // what the convergence rule needs
}

// Parse returns the record of a revision. Malformed tags count as absent, and so do
// numbers and times that no revision can have.
//
// Tags can be copied to another revision, and several tools do so. A journal counts
// only if ECS's registeredBy is the principal that the journal names. Of journals
// without a principal, which earlier versions wrote, that cannot be checked.
func Parse(r Revision) Record {
	value := func(key string) string { return r.Tags[key] }
	record := Record{
		TaskDefinition: r.ARN, Revision: r.Number, Registered: r.Registered, Inactive: r.Inactive, Image: r.Image,
		Foreign: true,
	}
	ref, _ := image.ParseReference(r.Image)
	ref = Complete(ref, r.Tags)
	record.Tag, record.Digest = ref.Tag, ref.Digest
	id, at := value(keyEventID), parseTime(value(keyTime), r.Registered)
	limit := r.Number
	if limit == 0 {
		limit = maxNumber
	}
	rule := parseRule(value(keyRule), limit)
	by := Principal(r.RegisteredBy)
	copied := rule.Principal != "" && by != "" && cut(by, maxPrincipal) != rule.Principal
	if base := value(keyBase); value(keyRule) == "" && base != "" { // an earlier version wrote the journal
		copied = r.ARN != "" && familyOf(base) != familyOf(r.ARN)
		rule.Base = parseNumber(base[strings.LastIndexByte(base, ':')+1:], limit)
		rule.Best = ParseBest(value(keyBest))
	}
	if rule.Best.Number > rule.Base {
		rule.Best = Best{}
	}
	if id == "" || at.IsZero() || copied {
		return record
	}
	if of := value(keyService); of != "" && r.Service != "" && of != Value(r.Service) {
		record.Other = true
		return record
	}
	record.Foreign = false
	record.Cause = event.Cause{
		ID: id, Time: at, Source: value(keySource), Actor: value(keyActor), Reason: value(keyReason),
	}
	record.Previous, record.Restores = value(keyPrevious), value(keyRestores)
	record.Outcome, record.Finished = parsePhase(value(keyOutcome)), parseTime(value(keyFinished), time.Time{})
	record.Why, record.RolledBackBy, record.DeploymentID = value(keyWhy), value(keyRolledBackBy), value(keyDeployment)
	if record.Outcome == "" && record.Why != "" { // see [Note]
		record.Outcome = Impaired
	}
	record.Stopped, record.Hooks = value(keyStopped), Steps(value(keyHooks))
	record.CopyOf, record.Rule = parseNumber(value(keyCopyOf), limit), rule
	return record
}

// familyOf returns the ARN of a revision without its number.
func familyOf(arn string) string { return arn[:max(0, strings.LastIndexByte(arn, ':'))] }

// parsePhase parses a phase; anything else is the zero phase.
func parsePhase(s string) Phase {
	p := Phase(s)
	switch p {
	case RollingOut, Impaired, Succeeded, Failed, Superseded, Unchanged:
		return p
	}
	return ""
}

// Complete returns an image reference of a revision with the tag and the digest
// from the revision's journal. If they contradict the reference, it returns the
// reference unchanged: the tags may have been copied from another revision.
func Complete(ref image.Reference, tags map[string]string) image.Reference {
	tag, digest := tags[keyTag], tags[keyDigest]
	if digest != "" && (ref.Digest == digest || ref.Digest == "" && ref.Tag == tag) {
		ref.Tag, ref.Digest = tag, digest
	}
	return ref
}

// By returns the actor that asked for the revision, else the source of the event;
// "" for a revision that another tool registered.
func (r Record) By() string { return cmp.Or(r.Cause.Actor, r.Cause.Source) }

// Origin returns the ARN of the revision that a rollback restores, else that of the
// revision itself.
func (r Record) Origin() string { return cmp.Or(r.Restores, r.TaskDefinition) }

// SameImage reports whether two revisions have the same image, as far as is known: by digest,
// or by tag if one of them has no digest.
func (r Record) SameImage(other Record) bool {
	if r.Digest == "" || other.Digest == "" {
		return r.Tag != "" && r.Tag == other.Tag
	}
	return r.Digest == other.Digest
}

// Pending reports whether the revision has a journal, in which its rollout has not
// ended.
func (r Record) Pending() bool {
	return !r.Foreign && (r.Outcome == "" || r.Outcome == RollingOut || r.Outcome == Impaired)
}

// Reported reports whether an outcome of the revision's rollout was reported.
func (r Record) Reported() bool { return r.DeploymentID != "" || r.Outcome != "" }

// HasSucceeded reports whether the rollout of the revision is known to have succeeded. A task
// that a command moved to it has only the time of that, until the function reports it.
func (r Record) HasSucceeded() bool {
	return r.Outcome == Succeeded || r.Outcome == "" && !r.Finished.IsZero()
}

// firstRunMark begins the note of a task's first run.
const firstRunMark = "first run: "

// FirstRunNote returns the note of how the first run of a task's revision ended.
func FirstRunNote(end string) Note { return Note{Stopped: Value(firstRunMark + end)} }

// FirstRun returns how the first run of a task's revision ended, for people; "" if that was not
// noted.
func (r Record) FirstRun() string {
	end, _ := strings.CutPrefix(r.Stopped, firstRunMark)
	if end == r.Stopped {
		return ""
	}
	return end
}

// OnlyRecords reports whether the revision was registered only as a record of its event: the
// previous revision, which ran then, had all that the event asked for, and nothing was moved to
// this one.
func (r Record) OnlyRecords(previous Record) bool {
	same := r.Image == previous.Image || r.Digest != "" && r.Digest == previous.Digest
	configured := r.Rule.Configuration.From > 0 && r.Rule.Configuration.From == previous.configuration()
	switch {
	case r.Foreign, !same, r.Rule.Demand == Forced:
		return false
	case r.Rule.Demand == "":
		return true
	}
	return configured
}

// configuration returns the number of the external revision whose configuration a revision has;
// 0 if it is not known.
func (r Record) configuration() int {
	if r.Foreign {
		return r.Revision
	}
	return r.Rule.Configuration.From
}
