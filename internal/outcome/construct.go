package outcome

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"deployer/internal/image"
)

// Started returns the outcome of a deployment that ECS has accepted. It needs
// the service, the event's id and the new revision.
func Started(o Outcome) (Outcome, error) {
	return o.complete(DeploymentStarted, wants{"service", o.Service}, wants{"event_id", o.asked()}, wants{"revision.after", o.Revision.After})
}

// Succeeded returns the outcome of a deployment whose revision the service
// runs. It needs what [Started] does, but no event if it is foreign.
func Succeeded(o Outcome) (Outcome, error) {
	return o.complete(DeploymentSucceeded, wants{"service", o.Service}, wants{"event_id", o.asked()}, wants{"revision.after", o.Revision.After})
}

// Failed returns the outcome of a deployment that ECS gave up, or that did not
// come to ECS. It needs the service, the event's id unless it is foreign, and
// why it failed.
func Failed(o Outcome) (Outcome, error) {
	return o.complete(DeploymentFailed, wants{"service", o.Service}, wants{"event_id", o.asked()}, wants{"ecs_reason or cause", o.Why()})
}

// Rejected returns the outcome of an event that nothing can come of. It needs
// only the cause: of a malformed event nothing else may be known.
func Rejected(o Outcome) (Outcome, error) {
	return o.complete(DeploymentRejected, wants{"cause", o.Problem})
}

// Superseded returns the outcome of a deployment whose place a newer one took.
// It needs the service, the event's id, and the newer event or deployment.
func Superseded(o Outcome) (Outcome, error) {
	return o.complete(DeploymentSuperseded, wants{"service", o.Service}, wants{"event_id", o.asked()},
		wants{"superseded_by", o.SupersededBy.EventID + o.SupersededBy.DeploymentID})
}

// wants is a field that a kind of outcome does not do without.
type wants struct{ name, value string }

// asked returns the id of the event that asked; what somebody else deployed
// was not asked for by any.
func (o Outcome) asked() string {
	if o.Foreign {
		return "foreign"
	}
	return o.Cause.ID
}

// complete checks the outcome as one of a kind, and fills in what follows from
// the rest. Its error names every fault.
func (o Outcome) complete(kind Kind, all ...wants) (Outcome, error) {
	o.Kind, o.Schema = kind, 1
	var errs []error
	for _, w := range append([]wants{{"environment", o.Environment}, {"project", o.Project}}, all...) {
		if w.value == "" {
			errs = append(errs, fmt.Errorf("%s is missing", w.name))
		}
	}
	if err := errors.Join(append(errs, o.check()...)...); err != nil {
		return Outcome{}, fmt.Errorf("making a %s outcome of service %q: %w", kind, o.Service, err)
	}
	if !o.Cause.Time.IsZero() {
		o.Cause.Time = o.Cause.Time.UTC()
		took := seconds(o.Time.Sub(o.Cause.Time))
		o.Seconds = &took
	}
	o.clip()
	o.Links = links(o.ServiceARN, o.Revision.After)
	o.Event = embed(o.Event)
	o.Message = clip(o.sentence(), mostText)
	return o, nil
}

var (
	serviceARN   = regexp.MustCompile(`^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:service/[A-Za-z0-9_/-]+$`)
	revisionARN  = regexp.MustCompile(`^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]+:[0-9]+$`)
	deploymentID = regexp.MustCompile(`^ecs-svc/[0-9A-Za-z-]+$`)
)

// check returns what is wrong with the fields that are there.
func (o Outcome) check() (errs []error) {
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(o.Time.IsZero(), "time is missing")
	wrong(o.ServiceARN != "" && !serviceARN.MatchString(o.ServiceARN), "the service's ARN %q is none", o.ServiceARN)
	wrong(o.Digest != "" && !image.ValidDigest(o.Digest), "digest %q is none", o.Digest)
	wrong(o.Tag != "" && o.Kind != DeploymentRejected && !image.ValidTag(o.Tag), "tag %q is none", o.Tag)
	wrong(o.DeploymentID != "" && !deploymentID.MatchString(o.DeploymentID), "deployment_id %q is not like ecs-svc/1234567890", o.DeploymentID)
	for _, arn := range []string{o.Revision.Before, o.Revision.After, o.RolledBackTo.Revision} {
		wrong(arn != "" && !revisionARN.MatchString(arn), "revision %q is not a task definition's ARN", arn)
	}
	wrong(o.RolledBackTo != Revision{} && o.Kind != DeploymentFailed, "rolled_back_to is of failures only")
	wrong(o.SupersededBy != Newer{} && o.Kind != DeploymentSuperseded, "superseded_by is of superseded ones only")
	wrong(o.Event != nil && o.Kind != DeploymentRejected && o.Kind != DeploymentFailed, "event is of rejections and failures only")
	wrong(o.Foreign && o.Kind == DeploymentRejected, "foreign is not of rejections: only an event is rejected")
	return errs
}

// Took returns the time from the event to the outcome, and whether it is known.
func (o Outcome) Took() (time.Duration, bool) {
	if o.Seconds == nil {
		return 0, false
	}
	return time.Duration(*o.Seconds * float64(time.Second)), true
}

// seconds returns a duration in seconds, to the millisecond. It is 0 for an event
// whose time is slightly ahead of this clock.
func seconds(d time.Duration) float64 {
	return float64(max(0, d).Milliseconds()) / 1000
}
