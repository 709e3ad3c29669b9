package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/notify"
	"deployer/internal/notify/secret"
	"deployer/internal/notify/sns"
	"deployer/internal/outcome"
)

// lastTry is the age of an event from which a failure is told of. Lambda tries
// an event that failed again after one minute, and after two more: at this age
// it is on its last try, unless the event was long on its way.
const lastTry = 170 * time.Second

// teller makes outcomes known: to machines on the bus, to people, to metrics.
type teller struct {
	bus      *outcome.Bus
	channels notify.Notifiers
	meter    *outcome.Meter
}

// newTeller returns the teller of an environment's function. Nothing is called
// before there is something to tell.
func newTeller(env *environment.Environment, config aws.Config, metrics io.Writer) *teller {
	t := &teller{bus: outcome.New(config), meter: outcome.NewMeter(metrics, env.Project, env.Name)}
	switch n := env.Notify; {
	case n.Slack != "":
		t.channels = append(t.channels, notify.NewSlack(secret.Webhook(config, n.Slack)))
	case n.SlackWebhook != "":
		t.channels = append(t.channels, notify.NewSlack(notify.Fixed(n.SlackWebhook)))
	}
	if env.Notify.Topic != "" {
		t.channels = append(t.channels, sns.New(config, env.Notify.Topic))
	}
	return t
}

// publish puts outcomes on the bus. Its error is a fault: then they may not be
// known, and the event is to be tried again.
func (t *teller) publish(ctx context.Context, outcomes []outcome.Outcome) error {
	if t == nil || len(outcomes) == 0 {
		return nil
	}
	if err := t.bus.Send(ctx, outcomes...); err != nil {
		slog.ErrorContext(ctx, "outcome not recorded", "error", err.Error(), "error_type", fault.NameOf(err))
		return err
	}
	for _, o := range outcomes {
		slog.InfoContext(ctx, "outcome", "outcome", string(o.Kind), "event_id", o.Cause.ID, "service", o.Service, "tag", o.Tag,
			"task_definition", o.Revision.After, "deployment_id", o.DeploymentID, "foreign", o.Foreign, "words", o.Message)
	}
	return nil
}

// announce tells people of outcomes that are on the bus, and counts them. It
// never fails, and takes a few seconds at most.
func (t *teller) announce(ctx context.Context, outcomes []outcome.Outcome) {
	if t == nil {
		return
	}
	var all sync.WaitGroup
	for _, o := range outcomes {
		t.meter.Outcome(o)
		if o.Kind == outcome.DeploymentStarted && !o.Foreign && !o.Accepted.IsZero() && !o.Cause.Time.IsZero() {
			t.meter.Accepted(o.Service, o.Accepted.Sub(o.Cause.Time))
		}
		all.Go(func() { t.channels.Notify(ctx, o) })
	}
	all.Wait()
}

// tell is publish, then announce.
func (t *teller) tell(ctx context.Context, outcomes ...outcome.Outcome) error {
	if err := t.publish(ctx, outcomes); err != nil {
		return err
	}
	t.announce(ctx, outcomes)
	return nil
}

// ignored counts an event that was not for the environment.
func (t *teller) ignored() {
	if t != nil {
		t.meter.Ignored(1)
	}
}

// reconciled counts a look for lost pushes.
func (t *teller) reconciled() {
	if t != nil {
		t.meter.Reconciled()
	}
}

// tellRejection tells that nothing can come of an event.
func (p *Pipeline) tellRejection(ctx context.Context, env *environment.Environment, reading event.Reading, raw json.RawMessage) error {
	if p.teller == nil || p.redrives {
		return nil
	}
	w, ok := env.Find(reading.Claims.Service, environment.Services...)
	if !ok {
		w = environment.Workload{}
	}
	o := outcome.Of(env, w)
	o.Time, o.Cause, o.Tag = p.now(), reading.Claims.Cause, reading.Claims.Tag
	o.Problem, o.Event = reading.Reason, raw
	o, err := outcome.Rejected(o)
	if err != nil {
		return err
	}
	return p.teller.tell(ctx, o)
}

// tellResults tells of those of an event's requests that ended here: what ECS
// accepted ends later, and is told of when ECS does.
func (p *Pipeline) tellResults(ctx context.Context, env *environment.Environment, raw json.RawMessage, requests []event.Request, results []ecsdeploy.Deployment, errs []error) error {
	if p.teller == nil || p.redrives {
		return nil
	}
	var outcomes []outcome.Outcome
	var wrong []error
	for i, request := range requests {
		o, ended, err := p.ended(env, raw, request, results[i], errs[i])
		if wrong = append(wrong, err); ended && err == nil {
			outcomes = append(outcomes, o)
		}
	}
	return errors.Join(append(wrong, p.teller.tell(ctx, outcomes...))...)
}

// ended returns the outcome of a request that has one already.
func (p *Pipeline) ended(env *environment.Environment, raw json.RawMessage, request event.Request, d ecsdeploy.Deployment, failure error) (o outcome.Outcome, ended bool, err error) {
	// What a look for lost pushes could not do is not the end: the next one tries
	// again, and would tell it again.
	if request.DryRun || request.Cause.Source == ReconcileSource {
		return o, false, nil
	}
	o = outcome.Of(env, request.Workload)
	o.Time, o.Cause, o.Tag = p.now(), request.Cause, cmp.Or(d.Tag, request.Tag) // a rollback finds its tag
	switch {
	case failure != nil && p.now().Sub(request.Cause.Time) >= lastTry:
		o.Problem, o.Event = failure.Error(), raw
		o, err = outcome.Failed(o)
	case failure != nil:
		return o, false, nil
	case d.Status == ecsdeploy.Rejected:
		o.Problem, o.Event = d.Reason, raw
		o, err = outcome.Rejected(o)
	case d.Status == ecsdeploy.Superseded && !d.EventSeen:
		o.SupersededBy = outcome.Newer{EventID: d.Newer.EventID, DeploymentID: d.Newer.DeploymentID}
		o, err = outcome.Superseded(o)
	default:
		return o, false, nil
	}
	return o, true, err
}
