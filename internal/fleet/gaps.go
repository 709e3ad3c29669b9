package fleet

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/internal/resolve"
	"deployer/internal/rollout"
)

// gaps compares each service with that of the nearest environment before it that runs it.
// The number of images is that of the pushes to the repository of the environment before,
// for which its images are listed if the two differ.
func (r *Reader) gaps(ctx context.Context, f *Fleet) []Gap {
	type pair struct {
		before int // the index of the environment
		a, b   *journal.Record
	}
	var found []Gap
	var pairs []pair
	for _, name := range f.Names() {
		last := -1
		for i, e := range f.Environments {
			s := e.Find(name)
			if s == nil || s.Running == nil {
				continue
			}
			if last >= 0 {
				earlier := f.Environments[last].Find(name)
				if !same(*earlier.Running, *s.Running) {
					found = append(found, Gap{Service: name, Environment: e.Name, Of: f.Environments[last].Name})
					pairs = append(pairs, pair{last, earlier.Running, s.Running})
				}
			}
			last = i
		}
	}
	var g errgroup.Group
	g.SetLimit(maxLookups)
	for i, p := range pairs {
		g.Go(func() error {
			found[i].Images, found[i].Reason = r.count(ctx, p.before, found[i].Service, *p.a, *p.b)
			return nil
		})
	}
	_ = g.Wait()
	return slices.DeleteFunc(found, func(g Gap) bool { return g.Images == 0 && g.Reason == "" })
}

// same reports whether two revisions run the same image: of one digest, or if neither is
// known, one reference.
func same(a, b journal.Record) bool {
	if a.Digest != "" && b.Digest != "" {
		return a.Digest == b.Digest
	}
	return a.Digest == b.Digest && a.Image == b.Image
}

// count returns how many images were pushed after b's until a's; a runs in the environment
// with the given index. It is negative if b's is the newer, and 0 if both are one image, or
// with a reason if it is not known.
func (r *Reader) count(ctx context.Context, index int, service string, a, b journal.Record) (int, string) {
	w, ok := r.places[index].Env.Labelled(service)
	ref, err := image.ParseReference(a.Image)
	if registry, inECR := ref.Registry(); !ok || err != nil || !inECR || registry != w.Registry ||
		ref.Repository != w.Repository {
		return 0, "the image is not from the repository that the file names"
	}
	held, err := r.held.list(ctx, r.lister(index, w), r.places[index].Env, w)
	switch {
	case err == nil:
	case isDenied(err):
		return 0, "these credentials may not list the images: ecr:DescribeImages"
	default:
		return 0, "ECR answers " + fault.NameOf(err)
	}
	x, y := position(held, a), position(held, b)
	if x < 0 || y < 0 {
		return 0, "ECR no longer has both images under a tag"
	}
	return y - x, "" // the newest is first
}

// position returns the index of the image that a revision runs, -1 if it is not there.
func position(held []resolve.Held, r journal.Record) int {
	return slices.IndexFunc(held, func(h resolve.Held) bool {
		if r.Digest != "" {
			return h.Digest == r.Digest
		}
		return r.Tag != "" && slices.Contains(h.Tags, r.Tag)
	})
}

// lister returns the environment with whose credentials a repository is listed: one of the
// registry's own account, which its policies cannot refuse, else that of the workload.
func (r *Reader) lister(index int, w environment.Workload) *resolve.Resolver {
	for i, b := range r.boards {
		if b != nil && r.places[i].Env.AccountID == w.Registry.AccountID {
			return b.resolver
		}
	}
	return r.boards[index].resolver
}

// holdings are the images of repositories as they were listed.
type holdings struct {
	mu    sync.Mutex
	lists map[string]*holding // by registry and repository
}

// holding is the list of one repository.
type holding struct {
	began time.Time
	done  chan struct{} // closed when the list is read
	held  []resolve.Held
	err   error
}

// list returns the images of a repository, which it lists once for all that ask. ECR's
// answer is kept as long as ECS's.
func (h *holdings) list(ctx context.Context, by *resolve.Resolver, env *environment.Environment,
	w environment.Workload) ([]resolve.Held, error) {
	key := w.Registry.Host() + "/" + w.Repository
	h.mu.Lock()
	one := h.lists[key]
	known := one != nil && time.Since(one.began) < rollout.MemoryTime
	if !known {
		one = &holding{began: time.Now(), done: make(chan struct{})}
		if h.lists == nil {
			h.lists = map[string]*holding{}
		}
		h.lists[key] = one
	}
	h.mu.Unlock()
	if !known {
		one.held, one.err = by.Holds(ctx, env, w)
		close(one.done)
	}
	<-one.done
	return one.held, one.err
}

func isDenied(err error) bool {
	_, denied := fault.Denied(err)
	return denied
}
