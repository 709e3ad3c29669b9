package fleet

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/awsconfig"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/failure"
)

// Source is an environment to read.
type Source struct {
	Name, File string // as people know it, for when it cannot be opened

	// Open reads the environment's file and connects to its account. It is called until it
	// succeeds once.
	Open func(context.Context) (Place, error)
}

// Place is an environment with credentials of its account.
type Place struct {
	Env       *environment.Environment // with its account
	Config    aws.Config
	Workloads []environment.Workload // the services to read
}

// Reader reads environments, once or repeatedly: what cannot have changed is not read
// again within [rollout.MemoryTime]. It is not safe for concurrent use.
type Reader struct {
	sources []Source
	boards  []*board // by source; nil until it is open
	places  []Place
	held    *holdings

	mu    sync.Mutex
	paces map[string]*awsconfig.Pace // of reads of ECS, by account and region
}

// New returns a reader of environments, in the order of a release: each is compared with
// the one before it.
func New(sources ...Source) *Reader {
	return &Reader{sources: sources, boards: make([]*board, len(sources)), places: make([]Place, len(sources)),
		held: &holdings{}, paces: map[string]*awsconfig.Pace{}}
}

// pace returns the pace for an environment's account and region.
func (r *Reader) pace(env *environment.Environment) *awsconfig.Pace {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := env.AccountID + " " + env.Region
	if r.paces[key] == nil {
		r.paces[key] = awsconfig.NewPace()
	}
	return r.paces[key]
}

// Read reads all environments side by side. One that cannot be read has an error and does
// not keep the others from being read.
func (r *Reader) Read(ctx context.Context) *Fleet {
	f := &Fleet{Environments: make([]Environment, len(r.sources)), Gaps: []Gap{}}
	var reading sync.WaitGroup
	for i := range r.sources {
		reading.Go(func() { f.Environments[i] = r.read(ctx, i) })
	}
	reading.Wait()
	f.Gaps = append(f.Gaps, r.gaps(ctx, f)...)
	return f
}

// read reads one environment.
func (r *Reader) read(ctx context.Context, i int) Environment {
	e := Environment{Name: r.sources[i].Name, File: r.sources[i].File, Services: []Service{}}
	if r.boards[i] == nil {
		place, err := r.sources[i].Open(ctx)
		if err != nil {
			return e.failed(err)
		}
		r.places[i], r.boards[i] = place, newBoard(place, r.pace(place.Env))
	}
	env := r.places[i].Env
	e.Name, e.File, e.Project, e.Account, e.Region = env.Name, env.File, env.Project, env.AccountID, env.Region
	e.Production, e.Cluster, e.ByName = env.Production != "", env.Cluster, env.ByName
	services, err := r.boards[i].read(ctx)
	if err != nil {
		return e.failed(err)
	}
	e.Services = services
	return e
}

// Explain reads, for each service of a fleet that [Reader.Read] returned whose rollout failed
// or whose tasks fail, what that rollout left behind.
func (r *Reader) Explain(ctx context.Context, f *Fleet) {
	var reading sync.WaitGroup
	for i, e := range f.Environments {
		for j := range e.Services {
			s := &e.Services[j]
			if e.Error != nil || s.Running == nil || s.Troubled == 0 {
				continue
			}
			reading.Go(func() {
				revision := ecsservice.Sibling(s.Running.TaskDefinition, s.Troubled)
				config, target := r.places[i].Config, r.boards[i].targets[j]
				s.Failure = failure.Read(ctx, config, ecsservice.New(config), target, revision)
			})
		}
	}
	reading.Wait()
}

func (e Environment) failed(err error) Environment {
	e.err, e.Error = err, ErrorOf(err)
	return e
}

// Err returns why the environment could not be read, nil if it could or if that is not
// known as a Go error.
func (e Environment) Err() error { return e.err }
