// Package event turns an EventBridge event into requests to deploy, or into the
// reason why not. It is pure: bytes, an environment and the time in, a reading out.
package event

import (
	"fmt"
	"time"

	"deployer/internal/environment"
)

// Verdict is what an event amounts to.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted" // there are requests
	Ignored  Verdict = "ignored"  // the event is not for this environment; not a fault
	Rejected Verdict = "rejected" // the event is for this environment and wrong; a retry cannot mend it
	Due      Verdict = "due"      // the schedule's: it is time to look for pushes whose events were lost
	Followed Verdict = "followed" // ECS tells of a rollout of one of the environment's services
)

// Reading is what the deployer makes of one event.
type Reading struct {
	ID       string // the event's id; "" if it has none
	Verdict  Verdict
	Reason   string    // for people: why it is ignored or rejected, or what it asks for
	Requests []Request // if accepted, at least one
	Rollout  Rollout   // if followed
	At       time.Time // the event's time, as far as it has one
	Claims   Claims    // of a rejected event
}

// Claims are what a rejected event states about itself, as far as it can be
// read. Nothing in them is checked.
type Claims struct {
	Cause        Cause
	Service, Tag string
}

// Request asks for one workload to run the image under one tag.
type Request struct {
	Cause    Cause // Cause.Time orders requests
	Workload environment.Workload
	Tag      string
	Digest   string // of the pushed image; "" unless a push asked
	Push     bool   // a push asked, not a person

	DryRun bool // say what would change, change nothing
	Force  bool // deploy even what runs already

	// Rollback asks for the last image whose rollout succeeded before the one
	// that runs; Tag and Digest are "" until it is found. Restores is then the
	// ARN of the revision that ran it.
	Rollback bool
	To       string // a revision's number or a tag to go back to instead; "" in events
	Restores string
}

// The source and detail-types that are read.
const (
	ECRSource       = "aws.ecr"
	ECRImageAction  = "ECR Image Action"
	DeployType      = "DEPLOY"
	ScheduleSource  = "aws.events"
	ReconcileSource = "deployer.reconcile" // of a lost push, for which no event came
	ScheduledEvent  = "Scheduled Event"
	actionPrefix    = "action."
	maxAhead        = 5 * time.Minute // an event from further ahead would outrank every later one
	maxDeployDetail = 64 << 10        // bytes; a DEPLOY needs a hundred
)

// Read reads a raw event as environment env understands it at the time now. It
// never fails: what cannot be read is rejected, with the reason. The
// environment must know its account (see [environment.Environment.In]) for
// pushes to its own registry to be recognised.
func Read(raw []byte, env *environment.Environment, now time.Time) Reading {
	e, faults := parseEnvelope(raw)
	r := reader{env: env, envelope: e}
	switch {
	case e == nil:
		return Reading{Verdict: Rejected, Reason: faults.String()}
	case e.Source == "" || e.DetailType == "":
		return r.rejected("the event has no \"source\" or no \"detail-type\": it is not an EventBridge event")
	case e.DetailType == DeployType:
		return r.deploy(faults, now)
	case e.Source == ECRSource && e.DetailType == ECRImageAction:
		return r.push(faults, now)
	case e.Source == ecsSource && (e.DetailType == deploymentChange || e.DetailType == serviceAction):
		return r.rollout()
	case e.Source == ScheduleSource && e.DetailType == ScheduledEvent:
		return Reading{ID: r.ID, Verdict: Due, Reason: "it is time to look for pushes whose events were lost"}
	}
	return r.ignored(fmt.Sprintf("events of type %s from %s are not the deployer's", quote(e.DetailType), quote(e.Source)))
}

// reader is one event on its way to a reading.
type reader struct {
	env *environment.Environment
	*envelope
}

func (r reader) ignored(reason string) Reading {
	return Reading{ID: r.ID, Verdict: Ignored, Reason: reason}
}

func (r reader) rejected(reason string) Reading {
	reading := Reading{ID: r.ID, Verdict: Rejected, Reason: reason, At: r.at, Claims: Claims{Cause: r.cause()}}
	fields, _ := object(r.Detail)
	claims := &reading.Claims
	for _, f := range []struct {
		key string
		to  *string
	}{
		{"task", &claims.Service}, {"service", &claims.Service}, {"image-tag", &claims.Tag}, {"tag", &claims.Tag},
		{"actor", &claims.Cause.Actor}, {"reason", &claims.Cause.Reason},
	} {
		if v, ok := text(fields[f.key]); ok && v != "" {
			*f.to = v
		}
	}
	return reading
}

// request returns what is common to every request of the event.
func (r reader) request(w environment.Workload, tag string) Request {
	return Request{Cause: r.cause(), Workload: w, Tag: tag}
}

// cause returns what the envelope says of the event: its id, time and source.
func (r reader) cause() Cause { return Cause{ID: r.ID, Time: r.at, Source: r.Source} }
