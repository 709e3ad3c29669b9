// Package event reads EventBridge events. It turns one into requests to deploy,
// into a step of a rollout, or into the reason why it is ignored or rejected. It
// is pure: it depends on the event, the environment and the time alone.
//
// Each kind of event has a file: deploy.go, push.go, rollout.go, hook.go, run.go and change.go. Of a DEPLOY,
// several.go reads "services", tag.go checks the tag, and odd.go and unknown.go recognize what senders write by
// mistake. claims.go says what an event is about that is not accepted.
package event

import (
	"time"

	"deployer/internal/environment"
)

// Verdict is what the deployer does with an event.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted" // it asks for deployments: see Reading.Requests
	Ignored  Verdict = "ignored"  // it is not for this environment
	Rejected Verdict = "rejected" // it is for this environment, but invalid; a retry cannot change that
	Due      Verdict = "due"      // the schedule sent it: lost pushes are to be searched for
	Followed Verdict = "followed" // Amazon ECS reports a step of a rollout: see Reading.Rollout
	Ran      Verdict = "ran"      // a run of a task ended that its schedule or rule started: see Reading.Run
	Changed  Verdict = "changed"  // configuration changed, to which services may refer: see Reading.Change
)

// Verdicts are all verdicts.
var Verdicts = []Verdict{Accepted, Ignored, Rejected, Due, Followed, Ran, Changed}

// MayNeedNoDeployment reports whether an event with the verdict is handled even if it starts
// no deployment: AWS sent it, and what it reports may need none.
func (v Verdict) MayNeedNoDeployment() bool {
	return v == Due || v == Followed || v == Ran || v == Changed
}

// Reading is the result of reading one event.
type Reading struct {
	ID       string // the event's id; "" if it has none
	Verdict  Verdict
	Reason   string    // for people: why it is ignored or rejected, or what it asks for
	Requests []Request // if accepted: at least one
	Rollout  Rollout   // if followed
	Change   Change    // if changed
	Run      Run       // if ran
	At       time.Time // the event's time; zero if it has none
	Claims   Claims    // if rejected or ignored; if changed, its cause

	Unexpected bool // if ignored: AWS sent something that it does not document
}

// Request asks for a deployment of one workload.
type Request struct {
	Cause    Cause
	Workload environment.Workload
	Tag      string
	Digest   string // of the pushed image; "" for other requests
	Push     bool   // a push or a replication asked for it, not a DEPLOY event or a command

	// Replicated means that ECR copies the image into the registry: it may come there
	// later than the event. Until [environment.ReplicationTime] has passed since the
	// event, an image that is missing is waited for.
	Replicated bool

	// Together means that the event asks for several workloads: none of them is deployed
	// unless each of them can be.
	Together bool
	// Optional means that the workload is skipped if its repository has no image with the
	// tag, or, of a redeployment, if it runs no image from ECR: the event does not name it,
	// but asks for all that have one.
	Optional bool

	DryRun bool // report what would change, without changing it
	Force  bool // deploy even if the service runs the image already

	// Rollback asks for the newest revision before the running one whose rollout
	// succeeded. Tag and Digest are "" until it is found; Restores is its ARN then.
	Rollback bool
	// Redeploy asks for the image that runs, with the family's newest configuration. Tag and
	// Digest are "" until it is found.
	Redeploy bool
	To       string // roll back to the revision with this number or tag instead; "" in events
	Restores string
}

// Sources and detail-types of the events that are read. Each is documented in the user
// guide of its service, unless its comment names another source.
const (
	DeployType = "DEPLOY" // of a sender's own sources: see [environment.Environment]

	ECRSource      = "aws.ecr"
	ECRImageAction = "ECR Image Action"
	ECRReplication = "ECR Replication Action"

	ScheduleSource = "aws.events"
	ScheduledEvent = "Scheduled Event"

	// ECS developer guide, "Amazon ECS service deployment state change events", "service action
	// events", "service deployment hook state change events" and "task state change events".
	ecsSource        = "aws.ecs"
	deploymentChange = "ECS Deployment State Change"
	serviceAction    = "ECS Service Action"
	hookChange       = "ECS Hook State Change"
	taskChange       = "ECS Task State Change"

	// Systems Manager user guide, "Amazon EventBridge event examples for Systems Manager".
	ParameterSource = "aws.ssm"
	parameterChange = "Parameter Store Change"
	// Secrets Manager user guide, "Secret event notifications", and "CloudTrail entries" for rotations.
	SecretSource  = "aws.secretsmanager"
	labelUpdated  = "Secret Label Updated"
	viaCloudTrail = "AWS Service Event via CloudTrail"
	// S3 user guide, "EventBridge event message structure".
	FileSource    = "aws.s3"
	objectCreated = "Object Created"
)

// Sources of the deployer itself.
const (
	CommandSource   = "deployer.cli"       // of requests by a person's command
	ReconcileSource = "deployer.reconcile" // of requests for lost pushes, for which no event came

	outcomeSource = "deployer" // of the deployer's own events
)

// Limits of what is accepted.
const (
	maxAhead        = 5 * time.Minute // of the time of a DEPLOY or a push: later events would count as older
	maxAheadOfAWS   = 24 * time.Hour  // of the time of AWS's other events, which do not order deployments
	maxDeployDetail = 64 << 10        // bytes of a DEPLOY's detail; usual ones have a hundred
)

// earliest is the earliest time of an event. Amazon ECS became available in 2015, so
// an earlier time comes from a broken clock or a typing error. Times before 1678 do not
// even fit the nanoseconds of an int64: they would count as later than all others.
var earliest = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// Read reads a raw event for an environment at the time now. An event that cannot
// be read is rejected, with the reason. The environment must know its account,
// else pushes to its own registry are ignored: see [environment.Environment.In].
func Read(raw []byte, env *environment.Environment, now time.Time) Reading {
	e, wrong := parseEnvelope(raw)
	if e == nil {
		return Reading{Verdict: Rejected, Reason: wrong.String()}
	}
	r := reader{env: env, event: e, now: now}
	reading := r.read(raw, wrong)
	if reading.Verdict == Ignored {
		reading.Claims = r.ignoredClaims()
	}
	return reading
}

// read reads an event by its source and detail-type.
func (r reader) read(raw []byte, wrong problems) Reading {
	e := r.event
	switch {
	case e.Source == "" || e.DetailType == "":
		return r.rejected("the event has no \"source\" or no \"detail-type\": it is not an EventBridge event" +
			oddEnvelope(raw))
	case e.DetailType == DeployType:
		return r.deploy(wrong)
	case e.Source == ECRSource && (e.DetailType == ECRImageAction || e.DetailType == ECRReplication):
		return r.push(wrong)
	case e.Source == ecsSource && (e.DetailType == deploymentChange || e.DetailType == serviceAction):
		return r.rollout()
	case e.Source == ecsSource && e.DetailType == hookChange:
		return r.hook()
	case e.Source == ecsSource && e.DetailType == taskChange:
		return r.run()
	case e.Source == ScheduleSource && e.DetailType == ScheduledEvent:
		return r.schedule()
	case e.Source == ParameterSource && e.DetailType == parameterChange,
		e.Source == SecretSource && (e.DetailType == labelUpdated || e.DetailType == viaCloudTrail),
		e.Source == FileSource && e.DetailType == objectCreated:
		return r.change()
	}
	reason := "events of type " + quote(e.DetailType) + " from " + quote(e.Source) + " are not for "
	if r.meansToDeploy() {
		return r.ignored(reason + r.env.Name + r.howToDeploy())
	}
	return r.ignored(reason + "the deployer")
}

// reader reads one event for an environment.
type reader struct {
	env   *environment.Environment
	event *envelope
	now   time.Time
}

func (r reader) ignored(reason string) Reading {
	return Reading{ID: r.event.ID, Verdict: Ignored, Reason: reason}
}

// schedule reads an event of the schedule. Its time decides nothing, and may be absent:
// EventBridge Scheduler and people send events of their own making.
func (r reader) schedule() Reading {
	var wrong problems
	if r.checkTime(maxAheadOfAWS, &wrong); len(wrong) > 0 {
		return r.unexpected("the scheduled event is not as AWS documents it: " + wrong.String())
	}
	return Reading{ID: r.event.ID, Verdict: Due, Reason: "scheduled search for lost pushes"}
}

// unexpected ignores an event of AWS that is not as AWS documents it. That is no
// sender's fault, but is worth a warning.
func (r reader) unexpected(reason string) Reading {
	return Reading{ID: r.event.ID, Verdict: Ignored, Unexpected: true, Reason: reason}
}

func (r reader) rejected(reason string) Reading {
	claims := r.claims()
	return Reading{ID: r.event.ID, Verdict: Rejected, Reason: reason, At: claims.Cause.Time, Claims: claims}
}

func (r reader) accepted(reason string, requests ...Request) Reading {
	return Reading{ID: r.event.ID, Verdict: Accepted, Reason: reason, Requests: requests}
}

// request returns a request for a workload that the event asks for.
func (r reader) request(w environment.Workload, tag string) Request {
	return Request{Cause: r.cause(), Workload: w, Tag: tag, Replicated: r.env.IsReplicated(w)}
}

// cause returns the event's id, time and source.
func (r reader) cause() Cause {
	return Cause{ID: r.event.ID, Time: r.event.Time, Source: r.event.Source}
}
