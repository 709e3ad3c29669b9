package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// failures has why registries could not be searched.
type failures map[image.Registry]error

// all reports whether no registry of the candidates could be searched.
func (f failures) all(candidates []candidate) bool {
	searched := func(c candidate) bool { return f[c.workload.Registry] == nil }
	return len(f) > 0 && !slices.ContainsFunc(candidates, searched)
}

// err returns the failures as one error, in the order of the registries; nil if there are none.
func (f failures) err() error {
	var all []error
	for _, err := range f {
		all = append(all, err)
	}
	slices.SortFunc(all, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(all...)
}

// describeImages reads from ECR the images that have the candidates' tags. A registry that
// cannot be read is not asked again in this search: its region may be unreachable, and
// each attempt to connect takes seconds.
func (r *Reconciler) describeImages(ctx context.Context, env *environment.Environment,
	candidates []candidate) failures {
	failed := failures{}
	var mu sync.Mutex // of failed
	skip := func(of image.Registry) bool { mu.Lock(); defer mu.Unlock(); return failed[of] != nil }
	var g errgroup.Group
	g.SetLimit(maxCalls)
	for i := range candidates {
		g.Go(func() error {
			c := &candidates[i]
			if skip(c.workload.Registry) {
				return nil
			}
			var err error
			c.image, c.pushed, err = r.resolver.Pushed(ctx, env, c.workload, c.tag)
			switch {
			case err == nil, errors.Is(err, fault.ErrRepositoryNotFound): // created with the first push
			case errors.Is(err, fault.ErrAccessDenied): // of one repository
				r.mu.Lock()
				defer r.mu.Unlock()
				r.denied[c.repository()] = denial{err, r.now()}
			default:
				mu.Lock()
				defer mu.Unlock()
				if failed[c.workload.Registry] == nil {
					failed[c.workload.Registry] = err
				}
			}
			return nil
		})
	}
	_ = g.Wait() // no call returns an error
	return failed
}
