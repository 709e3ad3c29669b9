// Package pipeline routes one event: it is read, becomes requests, and each
// request becomes an image and a deployment. Rollout events and the schedule
// take their own routes. The Lambda function and the command line both use it.
//
//   - request.go carries out requests, together.go those that are deployed together or not at all.
//   - imagelookup.go finds the image of a request; replication.go lets one wait for its image.
//   - publish.go and together_publish.go report what ended in the invocation, log.go logs it.
//   - follow.go handles rollout events, task.go what became of tasks, firstrun.go their first runs.
//   - change.go redeploys services whose configuration changed.
package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/awsconfig"
	"deployer/internal/dependents"
	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/kept"
	"deployer/internal/notify"
	"deployer/internal/outcome"
	"deployer/internal/reconcile"
	"deployer/internal/resolve"
	"deployer/internal/retry"
	"deployer/internal/rollout"
)

// Pipeline deploys into one environment. It is safe for concurrent use.
type Pipeline struct {
	env        *environment.Environment
	config     aws.Config
	resolver   *resolve.Resolver
	services   *ecsservice.Client
	deployer   *ecsdeploy.Deployer
	rollouts   rolloutHandler
	reconciler func() *reconcile.Reconciler // is made when it is first used
	dependents func() *dependents.Finder    // is made when it is first used
	publisher  publisher
	queue      keeper    // nil if nothing is kept
	scheduler  scheduler // nil if nothing waits
	now        func() time.Time
	role       string                 // name of the function's role; "" if it is not known
	actor      func() (string, error) // of requests, if they do not name one; nil if they do
	attempts   *attempts
	group      *ecsservice.Group // of the services of the event that is handled

	followsRollouts  bool // rollout events are handled, and their outcomes published
	publishesResults bool // requests that end at once have outcomes, and these are published
}

// publisher is what the pipeline needs of [notify.Publisher].
type publisher interface {
	Publish(ctx context.Context, outcomes ...outcome.Outcome) error
	Notify(ctx context.Context, outcomes ...outcome.Outcome)
	EventIgnored()
	Reconciled(denied int)
}

// keeper is what the pipeline needs of [kept.Queue].
type keeper interface {
	Keep(ctx context.Context, function string, at time.Time, outcomes ...outcome.Outcome) error
}

// New returns the pipeline of an environment for a command: it calls AWS with
// the credentials of config in the environment's region. Results are returned
// and not published, and rollout events are ignored.
func New(env *environment.Environment, config aws.Config) *Pipeline {
	config.Region = env.Region
	resolver, services := resolve.New(config), ecsservice.New(awsconfig.PacedIfThrottled(config))
	return &Pipeline{
		env: env, config: config, now: time.Now, attempts: &attempts{},
		resolver: resolver, services: services, deployer: ecsdeploy.New(services),
		rollouts: rollout.NewHandler(services),
		reconciler: sync.OnceValue(func() *reconcile.Reconciler {
			return reconcile.New(resolver, ecsservice.New(awsconfig.Paced(config)))
		}),
		dependents: sync.OnceValue(func() *dependents.Finder {
			return dependents.New(ecsservice.New(awsconfig.Paced(config)))
		}),
		publisher: notify.Discard{},
	}
}

// NewFunction returns the pipeline of the environment's Lambda function, which
// also publishes outcomes: on the bus, to the channels of the environment file,
// and as metrics to log. See [Pipeline.KeepIn] for its failure queue.
func NewFunction(env *environment.Environment, config aws.Config, log io.Writer) *Pipeline {
	p := New(env, config)
	p.publisher = notify.New(env, p.config, log)
	p.followsRollouts, p.publishesResults = true, true
	return p
}

// KeepIn makes the pipeline of a function keep rejected events, and those whose rollout
// failed, in the queue with a URL. With the URL "" it keeps none. It returns the pipeline.
func (p *Pipeline) KeepIn(url string) *Pipeline {
	p.queue = kept.NewQueue(p.config, url)
	return p
}

// SetRole sets the name of the function's role, by which journals name who registered a
// revision. Without it, a copied journal cannot be recognized by its principal.
func (p *Pipeline) SetRole(name string) { p.role = name }

// RetryIn makes the pipeline of a function wait for images that ECR still replicates: it
// gets the events again, by schedules of the named group with the role of the ARN.
// Without either nothing waits. It returns the pipeline.
func (p *Pipeline) RetryIn(group, role string) *Pipeline {
	if group != "" && role != "" {
		p.scheduler = retry.NewScheduler(p.config, group, role)
	}
	return p
}

// NewRedrive returns a pipeline for events that are run again from a failure
// queue. It publishes the outcomes of rollouts as the function does. Results of
// requests are only returned: a rejected event would otherwise be published, and
// come to the queue, once more.
func NewRedrive(env *environment.Environment, config aws.Config) *Pipeline {
	p := NewFunction(env, config, io.Discard)
	p.publishesResults = false
	return p
}

// Handle handles one raw EventBridge event as the environment's function. Its
// error is a [fault.Misconfiguration] or a [fault.Outage]: Lambda retries the
// event, and finally sends it to the failure queue. Whatever a retry cannot
// change is a [Result]. Each decision is one line in the log.
func (p *Pipeline) Handle(ctx context.Context, raw json.RawMessage) (Result, error) {
	ctx, end := p.attempts.begin(ctx)
	result, err := p.handle(ctx, raw, false)
	end(err)
	return result, err
}

// Preview returns what Handle would do with an event. It changes nothing.
func (p *Pipeline) Preview(ctx context.Context, raw json.RawMessage) (Result, error) {
	return p.handle(ctx, raw, true)
}

// Deploy carries out the requests of one event, at least one, with the credentials of the
// pipeline's config.
func (p *Pipeline) Deploy(ctx context.Context, requests ...event.Request) (Result, error) {
	env, err := p.environmentOf(ctx)
	if err != nil {
		return Result{}, err
	}
	for i := range requests {
		requests[i].Workload = env.Current(requests[i].Workload)
	}
	return p.run(ctx, env, Result{EventID: requests[0].Cause.ID}, delivery{}, requests)
}

// DeployAs is Deploy for a caller who is not known yet: the requests' actor is what actor
// returns. It is called before anything is changed, and may wait. If it fails, nothing is
// changed.
func (p *Pipeline) DeployAs(ctx context.Context, actor func() (string, error), requests ...event.Request) (Result,
	error) {
	as := *p
	as.actor = actor
	return as.Deploy(ctx, requests...)
}

// handle reads one event and routes it by its verdict.
func (p *Pipeline) handle(ctx context.Context, raw json.RawMessage, dryRun bool) (Result, error) {
	ctx, cancel := withReserve(ctx, answerReserve)
	defer cancel()
	env, err := p.environmentOf(ctx)
	if err != nil {
		slog.ErrorContext(ctx, "finding the account failed", "error", err.Error(), "error_type", fault.NameOf(err))
		return Result{}, err
	}
	d, err := unwrap(ctx, env, raw)
	if err != nil {
		return Result{}, err
	}
	return p.route(ctx, env, d, event.Read(d.raw, env, p.now()), dryRun)
}

// route carries out what the verdict on an event says.
func (p *Pipeline) route(ctx context.Context, env *environment.Environment, d delivery, reading event.Reading,
	dryRun bool) (Result, error) {
	result := Result{EventID: reading.ID, Reason: reading.Reason, Deployments: []ecsdeploy.Deployment{}}
	switch reading.Verdict {
	case event.Ignored:
		result.Status = ecsdeploy.Ignored
		level := slog.LevelInfo
		if reading.Unexpected {
			level = slog.LevelWarn
		}
		slog.Log(ctx, level, "event ignored", append(claimedKeys(reading), "reason", reading.Reason)...)
		if !dryRun {
			p.publisher.EventIgnored()
		}
		return result, nil
	case event.Rejected:
		result.Status = ecsdeploy.Rejected
		slog.ErrorContext(ctx, "event rejected", append(claimedKeys(reading), "reason", reading.Reason,
			"event", excerpt(d.raw))...)
		if dryRun {
			return result, nil
		}
		return result, p.publishRejection(ctx, env, reading, d.raw)
	case event.Followed, event.Due:
		if dryRun {
			result.Status = ecsdeploy.Ignored
			return result, nil
		}
		if reading.Verdict == event.Followed {
			return p.follow(ctx, env, reading)
		}
		return p.reconcile(ctx, env, result)
	case event.Ran:
		if dryRun || !p.followsRollouts {
			result.Status = ecsdeploy.Ignored
			return result, nil
		}
		return p.reportFirstRun(ctx, env, reading)
	case event.Changed:
		return p.change(ctx, env, result, d, reading, dryRun)
	case event.Accepted:
		return p.accepted(ctx, env, result, d, reading, dryRun)
	}
	err := fault.Misconfigured("UnroutedVerdict", "routing event "+reading.ID,
		fmt.Errorf("no route for the verdict %q", reading.Verdict), "report this as a bug of the deployer")
	slog.ErrorContext(ctx, "event failed", append(claimedKeys(reading), "error", err.Error())...)
	return Result{}, err
}

// accepted carries out the requests of an event that asks for deployments.
func (p *Pipeline) accepted(ctx context.Context, env *environment.Environment, result Result, d delivery,
	reading event.Reading, dryRun bool) (Result, error) {
	for i := range reading.Requests {
		reading.Requests[i].DryRun = reading.Requests[i].DryRun || dryRun
	}
	requests := d.waiting(reading.Requests)
	if len(requests) == 0 { // of an event that has waited, after the file changed
		result.Status, result.Reason = ecsdeploy.Ignored, "no workload of "+env.Name+" waits for the event any more"
		return result, nil
	}
	return p.run(ctx, env, result, d, requests)
}

// reconcile searches for lost pushes and deploys them. Result holds the id of
// the schedule's event.
func (p *Pipeline) reconcile(ctx context.Context, env *environment.Environment, result Result) (Result, error) {
	search, err := p.reconciler().LostPushes(ctx, env, result.EventID)
	// What was found is deployed, whatever else failed.
	failed := errors.Join(search.Err, p.lookAtTasks(ctx, env, result.EventID),
		p.endRollbacks(ctx, env, search.Services))
	if err != nil {
		return Result{}, errors.Join(err, failed)
	}
	result.Status, result.Reason = ecsdeploy.Unchanged, search.Reason
	p.publisher.Reconciled(search.Denied)
	if search.Off {
		result.Status = ecsdeploy.Ignored
	}
	if search.Off || len(search.Requests) == 0 {
		return result, failed
	}
	result, err = p.run(ctx, env, result, delivery{}, search.Requests)
	if search.Denied > 0 && !strings.Contains(result.Reason, search.Reason) {
		result.Reason += "; " + search.Reason
	}
	return result, errors.Join(err, failed)
}
