package outcome

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"deployer/internal/environment"
)

// Started returns the outcome of a deployment that ECS has accepted. It requires
// the service, the event's id and the new revision.
func Started(o Outcome) (Outcome, error) {
	return o.complete(DeploymentStarted, required{"service", o.Service}, o.requiredEvent(),
		required{"revision.after", o.Revision.After})
}

// Succeeded returns the outcome of a deployment whose revision the service runs.
// It requires the service, the new revision, and the event's id unless the
// deployment is foreign.
func Succeeded(o Outcome) (Outcome, error) {
	return o.complete(DeploymentSucceeded, required{"service", o.Service}, o.requiredEvent(),
		required{"revision.after", o.Revision.After})
}

// Failed returns the outcome of a deployment whose rollout failed, or that failed
// before ECS accepted it. It requires the service, the reason, and the event's id
// unless the deployment is foreign.
func Failed(o Outcome) (Outcome, error) {
	return o.complete(DeploymentFailed, required{"service", o.Service}, o.requiredEvent(),
		required{"ecs_reason or cause", o.Why()})
}

// Rejected returns the outcome of an event that cannot lead to a deployment. It
// requires the cause: nothing else may be known of a malformed event.
func Rejected(o Outcome) (Outcome, error) {
	return o.complete(DeploymentRejected, required{"cause", o.Problem})
}

// Superseded returns the outcome of a deployment that a newer one replaced. It
// requires the service, the event's id, and the newer event or deployment.
func Superseded(o Outcome) (Outcome, error) {
	by := o.SupersededBy.EventID + o.SupersededBy.DeploymentID
	if strings.HasPrefix(o.Service, environment.TaskPrefix) {
		by = "a person or a tool" // their move of a task has no id
	}
	return o.complete(DeploymentSuperseded, required{"service", o.Service}, o.requiredEvent(),
		required{"superseded_by", by})
}

// required is a field that a kind of outcome must have.
type required struct{ name, value string }

// requiredEvent is the id of the event that asked. No event asked for a foreign
// deployment.
func (o Outcome) requiredEvent() required {
	if o.Foreign {
		return required{"event_id", "foreign"}
	}
	return required{"event_id", o.Cause.ID}
}

// complete checks the outcome as one of a kind, and sets the fields that follow
// from the others. Its error names everything that is wrong.
func (o Outcome) complete(kind Kind, fields ...required) (Outcome, error) {
	o.Kind, o.Schema = kind, 1
	var errs []error
	for _, f := range append([]required{{"environment", o.Environment}, {"project", o.Project}}, fields...) {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("%s is missing", f.name))
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
	o.Hook.Expires = o.Hook.Expires.UTC()
	o.clip()
	o.Links = LinksOf(o.ServiceARN, o.Revision.After)
	o.Event = embed(o.Event)
	o.Message = clip(o.sentence(), maxText)
	return o, nil
}

// seconds returns a duration in seconds, to the millisecond. It is 0 for an event
// whose time is slightly ahead of this clock.
func seconds(d time.Duration) float64 {
	return float64(max(0, d).Milliseconds()) / 1000
}
