package promote

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"deployer/internal/image"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestConformance puts a tag within one repository: on this project's emulator, or on
// the one at DEPLOYER_CONFORMANCE_URL (`make conformance`), such as moto_server. That
// one has no layers, so a copy between registries is tested on the emulator only.
func TestConformance(t *testing.T) {
	t.Parallel()
	url := os.Getenv("DEPLOYER_CONFORMANCE_URL")
	if url == "" {
		_, url = emulatortest.Start(t, emulator.Options{})
	}
	const account = "123456789012"
	a := accounts.Connect(url, account, "us-east-1")
	repository := "promote_" + time.Now().Format("150405.000000")
	digest, err := a.PushManifest(t.Context(), "amd64", repository, "one", "v1")
	must(t, err)
	_, err = a.PushManifest(t.Context(), "amd64", repository, "two", "v2")
	must(t, err)
	place := Place{Registry: image.Registry{AccountID: account, Region: "us-east-1"}, Repository: repository,
		Config: a.Config}
	o := Order{From: place, To: place, Digest: digest, Tag: "env-prod-20260122"}
	for _, done := range []bool{false, true} {
		p, err := o.Plan(t.Context())
		must(t, err)
		if p.Done() != done {
			t.Errorf("done is %v, want %v", p.Done(), done)
		}
		must(t, p.Run(t.Context(), nil))
	}
	out, err := a.ECR.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String(repository)})
	must(t, err)
	for _, i := range out.ImageDetails {
		tags := slices.SortedFunc(slices.Values(i.ImageTags), cmp.Compare)
		if *i.ImageDigest == digest && !slices.Equal(tags, []string{"env-prod-20260122", "v1"}) {
			t.Errorf("tags %v", tags)
		}
	}
	o.Tag = "v2"
	var taken *TagTakenError
	if _, err := o.Plan(t.Context()); !errors.As(err, &taken) {
		t.Errorf("a tag on another image: %v", err)
	}
	o.Force = true
	p, err := o.Plan(t.Context())
	must(t, err)
	must(t, p.Run(t.Context(), nil))
	holder, err := newRepository(place).tagged(t.Context(), "v2")
	must(t, err)
	if holder != digest || p.Moves == "" {
		t.Errorf("v2 is on %s", holder)
	}
}
