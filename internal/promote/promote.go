// Package promote copies an image by its digest from one ECR repository to another,
// with everything that belongs to it: the images of an index, signatures, attestations
// and bills of materials. The tag is put last, so that a tag never names an image that
// is not complete. A copy that was interrupted is finished by running it again.
package promote

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/fault"
	"deployer/internal/image"
)

// Place is an ECR repository, and the configuration with which it is called. The HTTP
// client of the configuration has to allow calls of minutes.
type Place struct {
	Registry   image.Registry
	Repository string
	Config     aws.Config
}

func (p Place) String() string {
	return fmt.Sprintf("ECR repository %q of %s", p.Repository, p.Registry)
}

// same reports whether both are the same repository.
func (p Place) same(q Place) bool { return p.Registry == q.Registry && p.Repository == q.Repository }

// Order is what is to be copied.
type Order struct {
	From, To  Place
	Digest    string // of the image, or of its index
	Tag       string // that the image gets at To
	Force     bool   // the tag may be moved from another image
	Referrers bool   // signatures, attestations and bills of materials are copied too
}

// Plan is what a copy has to do. It is made by [Order.Plan].
type Plan struct {
	Order
	Manifests []string // digests of the manifests that To lacks, in the order of their copying
	Blobs     int      // blobs that To lacks
	Bytes     int64    // of these blobs
	Present   int      // blobs of the manifests above that To has already
	Moves     string   // the digest that has the tag at To, if the tag has to be moved; else ""
	Tagged    bool     // To has the tag on this image
	Kept      []string // tags of signatures that are on another digest at To, and stay there

	from, to *repository
	missing  []*manifest
	tags     []*manifest // signatures with their tags
	root     *manifest
	absent   map[string]bool // the blobs that To lacks
}

// Done reports whether there is nothing to do.
func (p *Plan) Done() bool { return len(p.missing) == 0 && len(p.tags) == 0 && p.Tagged }

// Plan reads both repositories and returns what is to be done. It changes nothing. If
// the tag is on another image and Force is not set, the error is a [TagTakenError].
// Other errors are faults.
func (o Order) Plan(ctx context.Context) (*Plan, error) {
	p := &Plan{Order: o, from: newRepository(o.From), to: newRepository(o.To), absent: map[string]bool{}}
	holder, err := p.to.tagged(ctx, o.Tag)
	if err != nil {
		return nil, err
	}
	p.Tagged = holder == o.Digest
	if holder != "" && !p.Tagged {
		if taken := p.to.taken(ctx, o.Tag, holder, o.Digest); !o.Force || taken.Immutable { // before the copying
			return nil, taken
		}
		p.Moves = holder
	}
	if o.From.same(o.To) {
		found, err := p.from.manifests(ctx, []string{o.Digest})
		if err != nil {
			return nil, err
		}
		p.root = found[o.Digest]
		return p, nil
	}
	order, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	return p, p.compare(ctx, order)
}

// compare finds out what of the manifests To lacks.
func (p *Plan) compare(ctx context.Context, order []*manifest) error {
	present, err := p.to.present(ctx, order)
	if err != nil {
		return err
	}
	sizes := map[string]descriptor{}
	for _, m := range order {
		if present[m.digest] {
			continue
		}
		p.missing = append(p.missing, m)
		p.Manifests = append(p.Manifests, m.digest)
		for _, d := range m.blobs {
			sizes[d.Digest] = d
		}
	}
	if p.absent, err = p.to.absent(ctx, sizes); err != nil {
		return err
	}
	for digest := range p.absent {
		p.Blobs++
		p.Bytes += sizes[digest].Size
	}
	p.Present = len(sizes) - p.Blobs
	return p.compareTags(ctx, order)
}

// compareTags finds out which tags of signatures To lacks. One that is on another
// digest there stays: there may be signatures that the source does not have.
func (p *Plan) compareTags(ctx context.Context, order []*manifest) error {
	var wanted []string
	for _, m := range order {
		if m.tag != "" {
			wanted = append(wanted, m.tag)
		}
	}
	holders, err := p.to.holders(ctx, wanted)
	if err != nil {
		return err
	}
	for _, m := range order {
		holder, taken := holders[m.tag]
		switch {
		case m.tag == "" || holder == m.digest:
		case taken && !p.Force:
			p.Kept = append(p.Kept, m.tag)
		default:
			p.tags = append(p.tags, m)
		}
	}
	return nil
}

// maxManifests limits the manifests of one image, with its signatures.
const maxManifests = 1000

// discover reads the image, everything below it, and everything about it. It returns
// the manifests in the order in which they can be put.
func (p *Plan) discover(ctx context.Context) ([]*manifest, error) {
	all, done := map[string]*manifest{}, map[string]bool{}
	if err := p.read(ctx, []string{p.Digest}, all); err != nil {
		return nil, err
	}
	p.root = all[p.Digest]
	order, err := inOrder(p.Digest, all, done)
	if err != nil {
		return nil, fault.Rejected(fault.ErrNotImage, "reading "+p.Digest+" in "+p.From.String(), err, "")
	}
	if !p.Referrers {
		return order, nil
	}
	for next := 0; next < len(order); { // signatures can be signed, too
		about := order[next:]
		next = len(order)
		found, err := p.referrers(ctx, about, all)
		if err != nil {
			return nil, err
		}
		for _, digest := range found {
			more, err := inOrder(digest, all, done)
			if err != nil {
				return nil, fault.Rejected(fault.ErrNotImage, "reading "+digest+" in "+p.From.String(), err, "")
			}
			order = append(order, more...)
		}
	}
	return order, nil
}

// referrers returns the digests of what is about the given manifests, and reads it.
func (p *Plan) referrers(ctx context.Context, about []*manifest, all map[string]*manifest) ([]string, error) {
	digests, err := p.from.referrers(ctx, about)
	if err != nil {
		return nil, err
	}
	if err := p.read(ctx, digests, all); err != nil {
		return nil, err
	}
	var tags []string
	for _, m := range about {
		if m.tag == "" { // tools do not sign what is stored under such a tag
			tags = append(tags, signatureTags(m.digest)...)
		}
	}
	holders, err := p.from.holders(ctx, tags)
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		digest := holders[tag]
		if digest == "" {
			continue
		}
		if err := p.read(ctx, []string{digest}, all); err != nil {
			return nil, err
		}
		all[digest].tag = tag
		digests = append(digests, digest)
	}
	return digests, nil
}

// read reads manifests and everything below them, except what has been read.
func (p *Plan) read(ctx context.Context, digests []string, all map[string]*manifest) error {
	for len(digests) > 0 {
		var wanted []string
		for _, digest := range digests {
			if all[digest] == nil {
				all[digest] = &manifest{}
				wanted = append(wanted, digest)
			}
		}
		if len(all) > maxManifests {
			return fault.Rejected(fault.ErrNotImage, "reading "+p.Digest+" in "+p.From.String(),
				fmt.Errorf("it has more than %d manifests", maxManifests), "")
		}
		found, err := p.from.manifests(ctx, wanted)
		if err != nil {
			return err
		}
		digests = nil
		for digest, m := range found {
			all[digest] = m
			digests = append(digests, m.children...)
		}
	}
	return nil
}
