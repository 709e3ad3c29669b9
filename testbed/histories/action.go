package histories

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Kind is what an action does.
type Kind string

// The kinds of actions.
const (
	Push            Kind = "push"             // a new image, with ECR's event
	LostPush        Kind = "lost push"        // a new image, without an event
	Deploy          Kind = "DEPLOY"           // a DEPLOY event for a tag
	RollbackEvent   Kind = "rollback event"   // a DEPLOY event with the action rollback
	RollbackCommand Kind = "rollback command" // deployer rollback, by an operator
	DeployCommand   Kind = "deploy command"   // deployer deploy, by an operator
	Redeploy        Kind = "redeploy"         // a DEPLOY event with the action redeploy
	Move            Kind = "move"             // a person moves the service to an older revision
	Copy            Kind = "copy"             // a person copies a revision with its tags, and moves the service to it
	CopyOnly        Kind = "copy only"        // the same without moving the service
	WrongTime       Kind = "wrong time"       // a DEPLOY event of a year in which there was none
	EditTime        Kind = "edit time"        // a person edits the time in the journal of a revision that ran
	Terraform       Kind = "Terraform"        // Terraform registers a revision and moves the service to it
	TerraformOnly   Kind = "Terraform only"   // Terraform registers a revision
	Throttle        Kind = "throttle"         // ECS throttles an operation of the function for a while
	Deny            Kind = "deny"             // IAM denies an operation of the function for a while
	LoseAnswers     Kind = "lose answers"     // calls take effect, and their answers are lost
	Reconcile       Kind = "reconcile"        // the schedule's event
	Redrive         Kind = "redrive"          // an operator runs the events of the failure queue again
)

// An Actor is a class of actions, or of things that happen to the function. Each can be left out.
type Actor string

// The actors. Events, duplicates and redeliveries are always there.
const (
	People      Actor = "people"      // move services
	Copies      Actor = "copies"      // of revisions, with their tags
	Times       Actor = "times"       // events of years in which none can be, and tags that are edited to such times
	Unnamed     Actor = "unnamed"     // journals do not name their role, as those of earlier versions
	Infra       Actor = "terraform"   // registers revisions and moves services
	Rollbacks   Actor = "rollbacks"   // by event and by command, and deployments by command
	Redeploys   Actor = "redeploys"   // DEPLOY events with the action redeploy
	OneFamily   Actor = "family"      // both services share one task definition family
	Broken      Actor = "broken"      // images whose tasks fail, with and without the circuit breaker
	Late        Actor = "late"        // rollout events come minutes late, shuffled and twice
	Kills       Actor = "kills"       // invocations die between two calls
	Throttles   Actor = "throttles"   // ECS throttles
	Denials     Actor = "denials"     // permissions are missing for a while, and events are redriven later
	LostAnswers Actor = "lostanswers" // calls take effect, and their answers are lost
	Stale       Actor = "stale"       // reads answer one write behind
	LostPushes  Actor = "lostpushes"  // pushes without events, and the schedule that finds them
	LateEvents  Actor = "lateevents"  // events that come, or are retried, after more than 15 minutes
)

// Actors are all actors.
var Actors = []Actor{People, Copies, Times, Unnamed, Infra, Rollbacks, Redeploys, OneFamily, Broken, Late,
	Kills, Throttles, Denials, LostAnswers, Stale, LostPushes, LateEvents}

// ParseActors parses a list of actors, separated by commas: "all", "none", and names with - to leave one out.
func ParseActors(text string) (set map[Actor]bool, err error) { return parse(text, "actor", Actors) }

// parse parses a list of names of some of all.
func parse[T ~string](text, what string, all []T) (set map[T]bool, err error) {
	set = map[T]bool{}
	for name := range strings.SplitSeq(text, ",") {
		bare := strings.TrimPrefix(name, "-")
		switch {
		case name == "all":
			for _, a := range all {
				set[a] = true
			}
		case name == "none" || name == "":
		case slices.Contains(all, T(bare)):
			set[T(bare)] = name == bare
		default:
			return nil, fmt.Errorf("there is no %s %q: there are all, none, and %v", what, bare, all)
		}
	}
	return set, nil
}

// A Kill ends one attempt at a delivery.
type Kill struct {
	Delivery, Attempt int
	Call              int  // the number of the call, from 0
	After             bool // the call takes effect, and its answer is lost
}

// An Action is one thing that happens.
type Action struct {
	ID      int // constant when other actions are dropped
	At      time.Duration
	Kind    Kind
	Service int
	Version int             // of the image, if the action names one
	Pick    uint64          // chooses among the revisions that exist
	Delays  []time.Duration // of the deliveries of its event, after At
	Kills   []Kill
	// Of a fault:
	Operation string
	For       time.Duration
}

// String returns the action as one line.
func (a Action) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%8s  #%d %s", a.At, a.ID, a.Kind)
	switch a.Kind {
	case Throttle, Deny, LoseAnswers:
		fmt.Fprintf(&b, " %s for %s", a.Operation, a.For)
		return b.String()
	case Reconcile, Redrive:
	default:
		fmt.Fprintf(&b, " of s%d", a.Service)
	}
	switch a.Kind {
	case Push, LostPush, Deploy, DeployCommand, Terraform, TerraformOnly, WrongTime:
		fmt.Fprintf(&b, ", image v%d", a.Version)
	}
	for i, d := range a.Delays {
		fmt.Fprintf(&b, "; delivered after %s", d)
		for _, k := range a.Kills {
			if k.Delivery == i {
				when := map[bool]string{false: "before", true: "after"}[k.After]
				fmt.Fprintf(&b, ", attempt %d dies %s call %d", k.Attempt, when, k.Call)
			}
		}
	}
	return b.String()
}

// A History is an environment and what happens in it.
type History struct {
	Seed     uint64
	Services int
	// OneFamily means that all services share one task definition family.
	OneFamily bool
	Breakers  []bool // by service: whether the circuit breaker is on, with rollback
	Broken    map[int]bool
	// LateRollouts is the longest delay of a rollout event. FailureDelay is how long ECS takes to call a rollout failed
	// that it already rolls back.
	LateRollouts, FailureDelay time.Duration
	// Principals means that journals name the role that registered a revision. Those of earlier versions do not.
	Principals bool
	// StaleFor is how long reads may answer one write behind.
	StaleFor time.Duration
	Actions  []Action
}

// String returns the history as text.
func (h History) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "history %d: %d services", h.Seed, h.Services)
	if h.OneFamily {
		b.WriteString(" of one family")
	}
	fmt.Fprintf(&b, ", circuit breakers %v", h.Breakers)
	if h.Principals {
		b.WriteString(", journals name their role")
	}
	if h.LateRollouts > 0 {
		fmt.Fprintf(&b, ", rollout events up to %s late", h.LateRollouts)
	}
	if h.FailureDelay > 0 {
		fmt.Fprintf(&b, ", rollouts fail %s after their rollback began", h.FailureDelay)
	}
	if h.StaleFor > 0 {
		fmt.Fprintf(&b, ", stale reads for %s", h.StaleFor)
	}
	for _, a := range h.Actions {
		b.WriteString("\n  " + a.String())
		if h.Broken[a.Version] && a.Version > 0 {
			b.WriteString(" (broken)")
		}
	}
	return b.String()
}
