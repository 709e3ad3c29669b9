package promote

import (
	"slices"
	"strings"
	"testing"

	"deployer/testbed/accounts"
)

// TestWithoutReferrers: with Referrers unset, the image is copied alone.
func TestWithoutReferrers(t *testing.T) {
	t.Parallel()
	w, digest := newTwo(t)
	o := w.order(digest)
	o.Referrers = false
	p, err := promote(t.Context(), o)
	must(t, err)
	if len(p.Manifests) != 3 || len(w.images(t, w.prod)) != 4 {
		t.Errorf("manifests %v, prod has %d images", p.Manifests, len(w.images(t, w.prod)))
	}
}

// TestFallbackIndex: where a tool wrote the referrers into an index under the tag of the
// image's digest, that index and what it lists are copied.
func TestFallbackIndex(t *testing.T) {
	t.Parallel()
	w, digest := newTwo(t)
	signature, err := w.dev.PushLayered(t.Context(), name, accounts.Layered{Layers: []string{"listed"}})
	must(t, err)
	tag := strings.Replace(digest, ":", "-", 1)
	index, err := w.dev.PushIndexOf(t.Context(), name, []string{signature}, tag)
	must(t, err)
	_, err = promote(t.Context(), w.order(digest))
	must(t, err)
	w.checkComplete(t)
	if got := w.images(t, w.prod)[index].Tags; !slices.Equal(got, []string{tag}) {
		t.Errorf("the index has the tags %v", got)
	}
}

// TestArchived: an archived part of the source cannot be read, and the error restores
// it. One in the target is put again, which restores it.
func TestArchived(t *testing.T) {
	t.Parallel()
	w, digest := newTwo(t)
	o := w.order(digest)
	_, err := promote(t.Context(), o)
	must(t, err)
	var child string
	for d, i := range w.images(t, w.dev) {
		if len(i.Tags) == 0 && strings.Contains(i.Manifest, digestOf([]byte("arm"))) {
			child = d
		}
	}
	must(t, w.aws.Archive(accounts.Prod, accounts.Region, name, child))
	p, err := promote(t.Context(), o)
	must(t, err)
	if !slices.Equal(p.Manifests, []string{child}) || p.Blobs != 0 {
		t.Errorf("manifests %v, blobs %d", p.Manifests, p.Blobs)
	}
	w.checkComplete(t)
	must(t, w.aws.Archive(accounts.Dev, accounts.Region, name, child))
	_, err = promote(t.Context(), o)
	want := "reading " + child + ` in ECR repository "myproject_backend" of account 111111111111 in us-east-1: ` +
		"ImageInaccessible: Image is archived (if it is archived, restore it: aws ecr update-image-storage-class " +
		"--registry-id 111111111111 --region us-east-1 --repository-name myproject_backend --image-id imageDigest=" +
		child + " --target-storage-class STANDARD)"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// TestKeptSignature: a signature's tag that is on another digest in prod stays there.
func TestKeptSignature(t *testing.T) {
	t.Parallel()
	w, digest := newTwo(t)
	tag := strings.Replace(digest, ":", "-", 1) + ".sig"
	ours, err := w.prod.PushLayered(t.Context(), name, accounts.Layered{Layers: []string{"prod's own"}}, tag)
	must(t, err)
	p, err := promote(t.Context(), w.order(digest))
	must(t, err)
	if !slices.Equal(p.Kept, []string{tag}) || !slices.Contains(w.images(t, w.prod)[ours].Tags, tag) {
		t.Errorf("kept %v", p.Kept)
	}
}
