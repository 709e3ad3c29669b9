package promote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

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

// TestTags: a tag on another image is refused, unless the order forces it and the
// repository allows it.
func TestTags(t *testing.T) {
	t.Parallel()
	const place = `ECR repository "myproject_backend" of account 333333333333 in us-east-1`
	for _, tt := range []struct {
		name             string
		force, immutable bool
		blind            bool   // the repository cannot be described
		want             string // the error, with DIGEST and OLD
		wantCopied       bool
	}{
		{name: "refused", want: `tag "old" in ` + place + " is on OLD, not on DIGEST"},
		{name: "forced", force: true, wantCopied: true},
		{name: "forced, immutable", force: true, immutable: true,
			want: `tag "old" in ` + place + " is immutable and on another image than DIGEST"},
		{name: "forced, immutable, which is not known", force: true, immutable: true, blind: true, wantCopied: true,
			want: `tag "old" in ` + place + " is immutable and on another image than DIGEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			mutability := types.ImageTagMutabilityMutable
			if tt.immutable {
				mutability = types.ImageTagMutabilityImmutable
			}
			w, digest := newTwoWith(t, mutability)
			if tt.blind {
				w.aws.Inject(emulator.Fault{Operation: "ecr:DescribeRepositories", Error: emulator.AccessDenied("no")})
			}
			old := ""
			for d, i := range w.images(t, w.prod) {
				if slices.Contains(i.Tags, "old") {
					old = d
				}
			}
			o := w.order(digest)
			o.Tag, o.Force = "old", tt.force
			_, err := promote(t.Context(), o)
			got := ""
			if err != nil {
				got = err.Error()
			}
			var taken *TagTakenError
			if tt.want != "" && !errors.As(err, &taken) {
				t.Errorf("the error is a %T", err)
			}
			want := strings.NewReplacer("DIGEST", digest, "OLD", old).Replace(tt.want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the error (-want +got):\n%s", diff)
			}
			if _, copied := w.images(t, w.prod)[digest]; copied != tt.wantCopied {
				t.Errorf("copied: %v", copied)
			}
		})
	}
}

// TestImmutableTag tests the settings of a repository.
func TestImmutableTag(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mutability types.ImageTagMutability
		filter     string
		want       bool
	}{
		{"", "", false}, {"MUTABLE", "", false}, {"IMMUTABLE", "", true},
		{"IMMUTABLE_WITH_EXCLUSION", "env-*", false}, {"IMMUTABLE_WITH_EXCLUSION", "latest", true},
		{"MUTABLE_WITH_EXCLUSION", "env-*", true}, {"MUTABLE_WITH_EXCLUSION", "*prod", false},
		{"MUTABLE_WITH_EXCLUSION", "*prod*", true},
	} {
		r := types.Repository{ImageTagMutability: tt.mutability,
			ImageTagMutabilityExclusionFilters: []types.ImageTagMutabilityExclusionFilter{{Filter: &tt.filter}}}
		if got := immutableTag(r, "env-prod-20260122"); got != tt.want {
			t.Errorf("%s, %q: %v", tt.mutability, tt.filter, got)
		}
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

// TestCorruptBlob: a blob whose content was changed is not completed, and no manifest
// follows. The error has both digests.
func TestCorruptBlob(t *testing.T) {
	t.Parallel()
	w, digest := newTwo(t)
	o := w.order(digest)
	o.From.Config.HTTPClient = client(func(r *http.Request) (*http.Response, error) {
		response, err := emulatortest.InProcess{AWS: w.aws}.Do(r)
		if err == nil && r.Method == http.MethodGet {
			response.Body = changed{response.Body}
		}
		return response, err
	})
	_, err := promote(t.Context(), o)
	if !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	text := err.Error()
	found := false
	for _, content := range []string{"shared", "amd"} {
		corrupt := "X" + content[1:]
		found = found || strings.HasPrefix(text, "copying "+digestOf([]byte(content))+" from ECR repository ") &&
			strings.Contains(text, "its content has the digest "+digestOf([]byte(corrupt))+": ")
	}
	if !found {
		t.Errorf("the error is %s", text)
	}
	for _, c := range w.aws.Calls() {
		if c.Operation == "CompleteLayerUpload" || c.Operation == "PutImage" {
			t.Errorf("%s was called", c.Operation)
		}
	}
}

// TestCrashes cuts the copy off before or after each of its calls. A second run ends
// complete, with the tag put last, and uploads no blob again that was complete.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%v", after), func(t *testing.T) {
			t.Parallel()
			n := 1
			for crash(t, n, after) {
				n++
			}
			if n < 40 {
				t.Errorf("a copy has only %d calls", n-1)
			}
		})
	}
}

// crash runs the copy once with its n-th call cut off, and once more. It reports whether
// there was such a call.
func crash(t *testing.T, n int, after bool) (crashed bool) {
	t.Helper()
	w, digest := newTwo(t)
	o := w.order(digest)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cut := newCutter(emulatortest.InProcess{AWS: w.aws}, n, after, cancel)
	o.From.Config.HTTPClient, o.To.Config.HTTPClient = cut, cut
	_, err := promote(ctx, o)
	if crashed = cut.crashed(); crashed == (err == nil) {
		t.Fatalf("call %d: crashed %v, %v", n, crashed, err)
	}
	complete := w.completed(t)
	w.aws.ResetCalls()
	_, err = promote(t.Context(), w.order(digest))
	must(t, err)
	w.checkComplete(t)
	if puts := w.puts(t); len(puts) > 0 && puts[len(puts)-1].Tag != "v1" {
		t.Errorf("call %d: the last PutImage of the second run is %v", n, puts[len(puts)-1])
	}
	for _, again := range w.completed(t) {
		if slices.Contains(complete, again) {
			t.Errorf("call %d: the second run uploaded %s again", n, again)
		}
	}
	return crashed
}

// completed returns the digests of the uploads that were completed.
func (w *two) completed(t *testing.T) (digests []string) {
	t.Helper()
	for _, c := range w.aws.Calls() {
		if c.Operation == "CompleteLayerUpload" && c.Error == "" {
			var in struct{ LayerDigests []string }
			must(t, decode(c.Body, &in))
			digests = append(digests, in.LayerDigests...)
		}
	}
	return digests
}

// TestLostAnswers: a call whose answer is lost after it took effect is not an error.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
		"ecr:PutImage", "s3:GetObject"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			w, digest := newTwo(t)
			w.aws.Inject(emulator.Fault{Operation: operation, Times: 2, Drop: emulator.DropAfter})
			synctest.Test(t, func(t *testing.T) { // the retries wait
				_, err := promote(t.Context(), w.order(digest))
				must(t, err)
			})
			w.checkComplete(t)
		})
	}
}

// TestParts: a layer larger than a part arrives whole.
func TestParts(t *testing.T) {
	t.Parallel()
	w, _ := newTwo(t)
	digest, err := w.dev.PushLayered(t.Context(), name, accounts.Layered{Layers: []string{big}}, "big")
	must(t, err)
	w.aws.ResetCalls()
	p, err := promote(t.Context(), w.order(digest))
	must(t, err)
	parts := 0
	for _, c := range w.aws.Calls() {
		if c.Operation == "UploadLayerPart" {
			parts++
		}
	}
	if p.Bytes != int64(len(big)) || parts != 2 {
		t.Errorf("%d bytes in %d parts", p.Bytes, parts)
	}
	if _, ok := w.images(t, w.prod)[digest]; !ok {
		t.Error("prod does not have the image")
	}
}
