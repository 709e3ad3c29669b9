// Package reconcile finds lost pushes: images that have an auto_deploy tag but do not
// run, because the event of their push never came. ECR sends its events on a best-effort
// basis. The package only reads; the caller deploys what it returns.
package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/internal/resolve"
)

// maxCalls is how many calls of ECR are made at the same time.
const maxCalls = 8

// Reconciler searches for lost pushes. It is safe for concurrent use.
type Reconciler struct {
	resolver *resolve.Resolver
	services *ecsservice.Client

	// denied has the repositories, by ARN, that denied the caller to describe images.
	// They are logged, and not asked again for denialTime.
	mu     sync.Mutex
	denied map[string]denial
	now    func() time.Time
}

// denial is the answer of a repository that denied the caller to describe images.
type denial struct {
	err error
	at  time.Time
}

// denialTime is how long a repository that denied access is not asked again. Its policy
// may have been corrected by then.
const denialTime = time.Hour

// New returns a reconciler that reads images and services with the
// given clients.
func New(resolver *resolve.Resolver, services *ecsservice.Client) *Reconciler {
	return &Reconciler{resolver: resolver, services: services, denied: map[string]denial{}, now: time.Now}
}

// Search is the result of a search for lost pushes.
type Search struct {
	Off      bool            // no repository could be searched: all denied access
	Denied   int             // number of repositories that denied access
	Reason   string          // for people: what was found; how many repositories denied access, and why
	Requests []event.Request // one for each lost push
	Services []Service       // the services that were read, each once
	// Err is why registries could not be searched, such as one in a region that cannot be reached: a
	// fault. The other registries were searched.
	Err error
}

// Service is a service that a search read.
type Service struct {
	Workload environment.Workload
	Service  *types.Service
	Running  journal.Record // of the revision that it runs
}

// LostPushes compares what each service and task runs with the image that has an
// auto_deploy tag now. A push was lost if that image does not run, and was pushed after
// the event for which the running image was chosen. Its request has the time of the push, or
// of a second after a change of configuration that rolled that image out again. Only exact
// tags are compared: ECR cannot look up a pattern. ScheduleID is the id of the event that
// started the search. The error is a fault of package fault: the services or no registry could
// be read.
func (r *Reconciler) LostPushes(ctx context.Context, env *environment.Environment, scheduleID string) (Search, error) {
	all := candidatesOf(env)
	r.forgetDenials()
	candidates, targets := r.allowed(env, all)
	if len(candidates) == 0 && len(all) > 0 {
		return r.off(all), nil
	}
	known := r.deniedCount()
	var running []*ecsservice.RunningImage
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { running, err = r.services.RunningImages(gctx, env.Cluster, targets); return err })
	var failed failures
	g.Go(func() error { failed = r.describeImages(gctx, env, candidates); return nil })
	if err := g.Wait(); err != nil {
		return Search{}, err
	}
	if failed.all(candidates) {
		return Search{}, failed.err()
	}
	off := r.off(all)
	if off.Denied > known {
		slog.WarnContext(ctx, "reconciling is off for repositories",
			"event_id", scheduleID, "repositories", off.Denied, "error", off.Reason)
	}
	if off.Off {
		return off, nil
	}
	if err := r.readChoices(ctx, candidates, running); err != nil {
		return Search{}, err
	}
	requests, compared := lost(candidates, running, scheduleID)
	slog.InfoContext(ctx, "reconciled",
		"event_id", scheduleID, "services", len(candidates), "compared", compared, "lost", len(requests))
	why := reason(candidates, compared, len(requests))
	if err := failed.err(); err != nil {
		slog.WarnContext(ctx, "searching registries failed", "event_id", scheduleID, "registries", len(failed),
			"error", err.Error(), "error_type", fault.NameOf(err))
	}
	if off.Denied > 0 {
		why += "; " + off.Reason
	}
	return Search{Denied: off.Denied, Reason: why, Requests: requests,
		Services: servicesOf(candidates, running), Err: failed.err()}, nil
}

// servicesOf returns the services of candidates, each once.
func servicesOf(candidates []candidate, running []*ecsservice.RunningImage) (all []Service) {
	seen := map[string]bool{}
	for i, c := range candidates {
		if running[i] == nil || !c.workload.HasService() || seen[c.workload.Label()] {
			continue
		}
		seen[c.workload.Label()] = true
		all = append(all, Service{c.workload, running[i].Service, running[i].Record})
	}
	return all
}

// allowed returns the candidates whose repository has not denied access, and the target
// of each.
func (r *Reconciler) allowed(env *environment.Environment, all []candidate) (candidates []candidate,
	targets []ecsservice.Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range all {
		if r.denied[c.repository()].err == nil {
			candidates = append(candidates, c)
			targets = append(targets, ecsservice.TargetOf(env, c.workload))
		}
	}
	return candidates, targets
}

// forgetDenials forgets denials that are older than denialTime.
func (r *Reconciler) forgetDenials() {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.denied, func(_ string, d denial) bool { return r.now().Sub(d.at) >= denialTime })
}

func (r *Reconciler) deniedCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.denied)
}

// off returns how many of the candidates' repositories denied access, and why the first
// one did: the zero value if none did.
func (r *Reconciler) off(all []candidate) Search {
	r.mu.Lock()
	defer r.mu.Unlock()
	var repositories []string
	for _, c := range all {
		if !slices.Contains(repositories, c.repository()) {
			repositories = append(repositories, c.repository())
		}
	}
	denied := slices.DeleteFunc(slices.Clone(repositories), func(name string) bool { return r.denied[name].err == nil })
	if len(denied) == 0 {
		return Search{}
	}
	s := Search{Denied: len(denied), Off: len(denied) == len(repositories)}
	s.Reason = "reconciling is off: "
	if !s.Off {
		s.Reason = fmt.Sprintf("reconciling is off for %d of %d repositories: ", len(denied), len(repositories))
	}
	s.Reason += r.denied[denied[0]].err.Error()
	return s
}

// reason returns, for people, how many candidates were compared, and how many of them run
// their image.
func reason(candidates []candidate, compared, lost int) string {
	noun := "services"
	if slices.ContainsFunc(candidates, func(c candidate) bool { return !c.workload.HasService() }) {
		noun = "services and tasks"
	}
	if compared == len(candidates) {
		return fmt.Sprintf("%d %s run the image of their tag, or a newer one", compared-lost, noun)
	}
	return fmt.Sprintf("%d of %d %s run the image of their tag, or a newer one; "+
		"the others have no such image, or cannot be deployed to",
		compared-lost, len(candidates), noun)
}

// candidate is a workload with a tag whose push deploys it, and the image that has the tag.
type candidate struct {
	workload environment.Workload
	tag      string
	image    image.Reference // zero if no image has the tag
	pushed   time.Time
	// chosen is when the image that runs was chosen, if that is earlier than its Since: see
	// [ecsservice.Client.ChosenSince].
	chosen time.Time
}

// repository returns the ARN of the candidate's repository.
func (c candidate) repository() string {
	return c.workload.Registry.RepositoryARN(c.workload.Repository)
}

// candidatesOf returns a candidate for each workload and exact tag.
func candidatesOf(env *environment.Environment) (candidates []candidate) {
	for _, w := range env.Workloads {
		if !w.DeploysOnPush() {
			continue
		}
		for _, pattern := range env.AutoDeploy {
			if !pattern.IsExact() { // ECR finds the image of a tag, not of a pattern
				continue
			}
			candidates = append(candidates, candidate{workload: w, tag: string(pattern)})
		}
	}
	return candidates
}

// readChoices completes the candidates whose image may have been pushed after the running one
// was chosen.
func (r *Reconciler) readChoices(ctx context.Context, candidates []candidate,
	running []*ecsservice.RunningImage) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(maxCalls)
	for i := range candidates {
		c, runs := &candidates[i], running[i]
		if runs == nil || c.image.Digest == "" || runs.Is(c.image) || c.pushed.After(runs.Since) {
			continue
		}
		g.Go(func() (err error) { c.chosen, err = r.services.ChosenSince(gctx, runs); return err })
	}
	return g.Wait()
}

// lost returns a request for each lost push, and the number of candidates that could be
// compared. Running has the image of each; nil if the workload cannot be deployed to.
func lost(candidates []candidate, running []*ecsservice.RunningImage, scheduleID string) (
	requests []event.Request, compared int) {
	for i, c := range candidates {
		service := running[i]
		if service == nil || c.image.Digest == "" {
			continue
		}
		compared++
		// Events' times are whole seconds, and a push is not newer than its own event.
		at, chosen := c.pushed.UTC().Truncate(time.Second), service.Since
		if !c.chosen.IsZero() {
			chosen = c.chosen
		}
		if service.Is(c.image) || !at.After(chosen) {
			continue
		}
		if !at.After(service.Since) { // a change of configuration rolled out again what ran
			at = service.Since.Add(time.Second)
		}
		requests = append(requests, event.Request{
			Cause: event.Cause{
				ID: requestID(c.image.Digest), Time: at, Source: event.ReconcileSource,
				Reason: "the event of the push was lost; found by " + scheduleID,
			},
			Workload: c.workload, Tag: c.tag, Digest: c.image.Digest, Push: true,
		})
	}
	return requests, compared
}

// requestID returns the event id of a lost push: the same in every search that
// finds it.
func requestID(digest string) string {
	return "reconcile-" + strings.TrimPrefix(digest, "sha256:")[:16]
}
