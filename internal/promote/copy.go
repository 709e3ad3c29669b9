package promote

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Progress is how far a copy is.
type Progress struct {
	Blobs, AllBlobs int
	Bytes, AllBytes int64
}

// Run carries out the plan: blobs, manifests from the bottom up, signatures, and the
// tag at the end. It reports its progress after each part of a blob and each blob, one
// report at a time; report may be nil. If it fails, what has been copied stays, and a
// new plan leaves it out.
func (p *Plan) Run(ctx context.Context, report func(Progress)) error {
	t := &tally{report: report, now: Progress{AllBlobs: p.Blobs, AllBytes: p.Bytes}}
	buffers := make(chan []byte, maxAtOnce)
	for range maxAtOnce {
		buffers <- nil
	}
	for _, m := range p.missing {
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(maxAtOnce)
		for _, d := range m.blobs {
			if !p.absent[d.Digest] {
				continue
			}
			delete(p.absent, d.Digest) // two images of an index may share it
			g.Go(func() error {
				if gctx.Err() != nil {
					return context.Cause(gctx)
				}
				buffer := <-buffers
				defer func() { buffers <- buffer }()
				return p.copyBlob(gctx, d, &buffer, t)
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		if err := p.to.put(ctx, m, ""); err != nil {
			return err
		}
	}
	for _, m := range p.tags {
		if err := p.to.put(ctx, m, m.tag); err != nil {
			return err
		}
	}
	if p.Tagged {
		return nil
	}
	if err := p.checkTag(ctx); err != nil {
		return err
	}
	return p.to.put(ctx, p.root, p.Tag)
}

// checkTag returns a [TagTakenError] if the tag was put on another image while this one was copied: ECR would move it,
// unless it is immutable.
func (p *Plan) checkTag(ctx context.Context) error {
	if p.Force || len(p.missing) == 0 {
		return nil
	}
	holder, err := p.to.tagged(ctx, p.Tag)
	if err != nil || holder == "" || holder == p.Digest {
		return err
	}
	return p.to.taken(ctx, p.Tag, holder, p.Digest)
}

// tally counts what has been copied.
type tally struct {
	mu     sync.Mutex
	now    Progress
	report func(Progress)
}

func (t *tally) add(bytes int64, blobs int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Bytes += bytes
	t.now.Blobs += blobs
	if t.report != nil {
		t.report(t.now)
	}
}
