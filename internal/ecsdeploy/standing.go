package ecsdeploy

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/fault"
)

// Condition is what a service is doing, in one word or two.
type Condition string

// The conditions. The last three are those of a rollout that failed.
const (
	Steady     Condition = "steady"
	Moving     Condition = "rolling out"
	Held       Condition = "paused"       // rolling out, and waits for somebody to continue or stop it
	Struggling Condition = "impaired"     // rolling out, and its tasks do not start
	GoingBack  Condition = "rolling back" // to what ran before
	GoneBack   Condition = "rolled back"  // it runs what ran before
	Broken     Condition = "failed"       // and nothing was done about it
)

// Standing is how a service stands: what it runs, and how far its rollout has come.
type Standing struct {
	Condition Condition
	Running   Record
	Since     time.Time // when ECS began to move the service to it
	Rollout   Rollout   // of what runs
	Ongoing   Ongoing   // of a rollout that has stages, while it lasts; else zero

	// Newest is the newest revision of the family where that is neither what
	// runs nor the same but for its journal; nil otherwise. SameImage says that
	// its image is what runs too.
	Newest    *Record
	SameImage bool
}

// Failed reports whether the last rollout failed, as far as ECS and the
// family's newest journal show it.
func (s Standing) Failed() bool {
	return s.Condition == GoingBack || s.Condition == GoneBack || s.Condition == Broken
}

// Standings reads how the targets stand, all of one cluster, and gives each to
// show as soon as it is known, by its index and from several goroutines. Show
// gets the error of a service that is missing, that cannot be deployed to or
// that cannot be read; the others are shown all the same. Only a cluster that
// does not exist is an error.
//
// It reads ten services a call and the newest revision of each family, with at
// most eight calls at a time; one revision more where a service runs another,
// and its deployment where that is in progress and has stages.
// What the memory has of a service that is still in the same state is not read again.
func (d *Deployer) Standings(ctx context.Context, cluster string, targets []Target, m *Memory, show func(int, Standing, error)) error {
	services, err := d.describeServices(ctx, cluster, targets)
	if fault.NameOf(err) == "ClusterNotFound" {
		return err
	}
	var g errgroup.Group
	g.SetLimit(inFlight)
	for i, one := range services {
		if one.err != nil {
			show(i, Standing{}, one.err)
			continue
		}
		g.Go(func() error {
			s, err := d.standing(ctx, targets[i], one.service, m)
			show(i, s, err)
			return nil
		})
	}
	return g.Wait()
}

// standing reads the revisions that tell how a service stands.
func (d *Deployer) standing(ctx context.Context, t Target, service *types.Service, m *Memory) (Standing, error) {
	runs := aws.ToString(service.TaskDefinition)
	rollout := rolloutOf(service, runs)
	state := runs + " " + rollout.DeploymentID + " " + string(rollout.Phase)
	if known, ok := m.recall(t.Service, state, d.now()); ok {
		return d.staged(ctx, t, service, t.standing(service, known.running, known.newest)), nil
	}
	at := d.now()
	newest, err := d.describeRevision(ctx, familyOf(runs))
	gone := fault.NameOf(err) == "TaskDefinitionNotFound" // every revision was deregistered; who runs one goes on
	running := newest
	if gone || err == nil && newest.arn() != runs {
		running, err = d.describeRevision(ctx, runs)
	}
	if err != nil {
		return Standing{}, err
	}
	if gone {
		newest = running
	}
	m.keep(t.Service, seen{state, at, running, newest})
	return d.staged(ctx, t, service, t.standing(service, running, newest)), nil
}

// staged adds at which stage a rollout is.
func (d *Deployer) staged(ctx context.Context, t Target, service *types.Service, s Standing) Standing {
	s.Ongoing = d.stage(ctx, t, service, s.Rollout)
	if s.Ongoing.Paused() {
		s.Condition = Held
	}
	return s
}

// stage returns at which stage a rollout is, where a service's rollouts have
// stages. That takes a call, and who may not make it sees the rest.
func (d *Deployer) stage(ctx context.Context, t Target, service *types.Service, r Rollout) (o Ongoing) {
	c := service.DeploymentConfiguration
	if r.Done() || service.CurrentServiceDeployment == nil || c == nil ||
		len(c.LifecycleHooks) == 0 && (c.Strategy == "" || c.Strategy == types.DeploymentStrategyRolling) {
		return o
	}
	o, _ = d.describeOngoing(ctx, t.doing(), *service.CurrentServiceDeployment)
	return o
}

// standing says how a service stands, given what it runs and its family's newest revision.
func (t Target) standing(service *types.Service, running, newest revision) Standing {
	s := Standing{Running: t.record(running), Rollout: rolloutOf(service, running.arn()), Condition: Steady}
	s.Since = s.Running.Registered
	back := false
	failed := map[string]bool{}
	for _, d := range service.Deployments {
		if aws.ToString(d.Status) == "PRIMARY" {
			s.Since = aws.ToTime(d.CreatedAt).UTC()
		}
		back = back || rollingBack(d)
		if d.RolloutState == types.DeploymentRolloutStateFailed {
			failed[aws.ToString(d.TaskDefinition)] = true
		}
	}
	same := t.identity(running) == t.identity(newest)
	if running.arn() != newest.arn() && !(same && t.alike(running, newest)) {
		record := t.record(newest)
		s.Newest, s.SameImage = &record, same
	}
	switch {
	case back:
		s.Condition = GoingBack
	case s.Rollout.Phase == Failed:
		s.Condition = Broken
	case s.Rollout.Phase == Rolling && s.Running.Outcome == Impaired:
		s.Condition = Struggling
	case s.Rollout.Phase == Rolling:
		s.Condition = Moving
	case s.Newest != nil && (s.Newest.Outcome == Failed || failed[newest.arn()]):
		s.Condition = GoneBack
	}
	return s
}

// rollingBack reports whether a deployment is ECS's own way back from one that failed.
func rollingBack(d types.Deployment) bool {
	return d.RolloutState == types.DeploymentRolloutStateInProgress && strings.Contains(aws.ToString(d.RolloutStateReason), "rolling back")
}

// alike reports whether two revisions differ in no more than how they name
// their image, and in their tags: such as one that was registered only to note
// that an event came.
func (t Target) alike(a, b revision) bool {
	bare := func(r revision) any {
		in := clone(r)
		in.Tags = nil
		chosen, _ := t.Containers(r.TaskDefinition)
		for _, i := range chosen {
			in.ContainerDefinitions[i].Image = nil
		}
		return in
	}
	return reflect.DeepEqual(bare(a), bare(b))
}
