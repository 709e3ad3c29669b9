package promote

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"deployer/internal/image"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const name = "myproject_backend"

// big is a layer of more than one part, of which the last is small.
var big = strings.Repeat("0123456789abcdef", 10<<20/16) + "the end"

// two are two accounts on one emulator that calls reach without a connection.
type two struct {
	aws       *emulator.Emulator
	dev, prod *accounts.Account
}

// newTwo returns dev and prod; prod may pull from dev's repository, which has an image
// of two platforms with a signature and a bill of materials. It returns the digest.
func newTwo(t *testing.T) (w *two, digest string) {
	t.Helper()
	return newTwoWith(t, types.ImageTagMutabilityMutable)
}

// newTwoWith is [newTwo] with a mutability of the tags in prod's repository.
func newTwoWith(t *testing.T, mutability types.ImageTagMutability) (w *two, digest string) {
	t.Helper()
	w = &two{aws: emulator.New(emulator.Options{VerifyLayers: true})}
	connect := func(id string) *accounts.Account {
		return accounts.Connect("http://aws.invalid", id, accounts.Region).With(func(c *aws.Config) {
			c.HTTPClient = emulatortest.InProcess{AWS: w.aws}
		})
	}
	w.dev, w.prod = connect(accounts.Dev), connect(accounts.Prod)
	push := func(l accounts.Layered, tags ...string) string {
		t.Helper()
		digest, err := w.dev.PushLayered(t.Context(), name, l, tags...)
		must(t, err)
		return digest
	}
	amd := push(accounts.Layered{Layers: []string{"shared", "amd"}})
	arm := push(accounts.Layered{Layers: []string{"shared", "arm"}})
	digest, err := w.dev.PushIndexOf(t.Context(), name, []string{amd, arm}, "v1")
	must(t, err)
	sbom := push(accounts.Layered{Layers: []string{"bill"}, Subject: amd, Kind: "application/spdx+json"})
	push(accounts.Layered{Layers: []string{"signed bill"}, Subject: sbom,
		Kind: "application/vnd.cncf.notary.signature"})
	push(accounts.Layered{Layers: []string{"signature"}}, strings.Replace(digest, ":", "-", 1)+".sig")
	push(accounts.Layered{Layers: []string{"of no concern"}}, "v0")
	_, err = w.prod.ECR.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String(name),
		ImageTagMutability: mutability})
	must(t, err)
	_, err = w.prod.PushLayered(t.Context(), name, accounts.Layered{Layers: []string{"old"}}, "old")
	must(t, err)
	w.aws.ResetCalls()
	return w, digest
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// order returns the order to copy the image from dev to prod as v1, each with its own
// credentials.
func (w *two) order(digest string) Order {
	place := func(a *accounts.Account) Place {
		return Place{Registry: image.Registry{AccountID: a.ID, Region: accounts.Region}, Repository: name,
			Config: a.Config}
	}
	return Order{From: place(w.dev), To: place(w.prod), Digest: digest, Tag: "v1", Referrers: true}
}

// promote plans and runs the order.
func promote(ctx context.Context, o Order) (*Plan, error) {
	p, err := o.Plan(ctx)
	if err != nil {
		return nil, err
	}
	return p, p.Run(ctx, nil)
}

// stored is an image as a repository has it.
type stored struct {
	Manifest, MediaType string
	Tags                []string
}

// images returns the images of an account's repository by digest.
func (w *two) images(t *testing.T, a *accounts.Account) map[string]stored {
	t.Helper()
	all, err := a.ECR.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String(name)})
	must(t, err)
	found := map[string]stored{}
	for _, i := range all.ImageDetails {
		one, err := a.ECR.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String(name),
			ImageIds: []types.ImageIdentifier{{ImageDigest: i.ImageDigest}}})
		must(t, err)
		found[*i.ImageDigest] = stored{*one.Images[0].ImageManifest, *one.Images[0].ImageManifestMediaType, i.ImageTags}
	}
	return found
}

// checkComplete checks that prod has everything of the image, byte by byte.
func (w *two) checkComplete(t *testing.T) {
	t.Helper()
	want := w.images(t, w.dev)
	for digest, i := range want {
		if slices.Contains(i.Tags, "v0") {
			delete(want, digest)
		}
	}
	got := w.images(t, w.prod)
	for digest, i := range got {
		if slices.Contains(i.Tags, "old") {
			delete(got, digest)
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("prod's images (-dev +prod):\n%s", diff)
	}
}

// puts returns the tags and digests of the PutImage calls that succeeded, in order.
func (w *two) puts(t *testing.T) (puts []put) {
	t.Helper()
	for _, c := range w.aws.Calls() {
		if c.Operation == "PutImage" && c.Error == "" {
			var one put
			must(t, decode(c.Body, &one))
			puts = append(puts, one)
		}
	}
	return puts
}

// TestCopy: index, platforms, bill of materials, its signature and cosign's signature
// arrive as they are; the tag comes last; a second run changes nothing.
func TestCopy(t *testing.T) {
	t.Parallel()
	w, digest := newTwo(t)
	p, err := promote(t.Context(), w.order(digest))
	must(t, err)
	w.checkComplete(t)
	puts := w.puts(t)
	if last := puts[len(puts)-1]; last != (put{Tag: "v1", Digest: digest}) {
		t.Errorf("the last PutImage is %v", last)
	}
	for _, one := range puts[:len(puts)-1] {
		if one.Tag == "v1" {
			t.Errorf("PutImage of the tag before the last: %v", puts)
		}
	}
	// "shared" is copied once; prod had the config.
	if p.Blobs != 6 || p.Present != 1 || len(p.Manifests) != 6 || p.Done() {
		t.Errorf("blobs %d, present %d, manifests %d", p.Blobs, p.Present, len(p.Manifests))
	}
	w.aws.ResetCalls()
	p, err = promote(t.Context(), w.order(digest))
	must(t, err)
	for _, c := range w.aws.Calls() {
		if !slices.Contains([]string{"BatchGetImage", "ListImageReferrers"}, c.Operation) {
			t.Errorf("the second run called %s", c.Operation)
		}
	}
	if !p.Done() {
		t.Errorf("the second plan is not empty: %+v", p)
	}
}

// TestSameRepository: within one repository the tag is put on the same manifest, and
// nothing else is called.
func TestSameRepository(t *testing.T) {
	t.Parallel()
	w, digest := newTwo(t)
	o := w.order(digest)
	o.To, o.Tag = o.From, "env-prod-20260122"
	_, err := promote(t.Context(), o)
	must(t, err)
	var calls []string
	for _, c := range w.aws.Calls() {
		calls = append(calls, c.Operation)
	}
	if diff := cmp.Diff([]string{"BatchGetImage", "BatchGetImage", "PutImage"}, calls); diff != "" {
		t.Error(diff)
	}
	if got := w.images(t, w.dev)[digest].Tags; !slices.Equal(got, []string{"v1", "env-prod-20260122"}) {
		t.Errorf("tags %v", got)
	}
}
