package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestRegistryWorks creates the stack on emulated AWS: its readers pull, and no one else; releases stay what they are,
// and latest moves. An update of the stack keeps the images.
func TestRegistryWorks(t *testing.T) {
	t.Parallel()
	cloud, url := emulatortest.Start(t, emulator.Options{})
	env := example(t, "centralized-dev-ecr/dev")
	install := func(more ...string) {
		t.Helper()
		if err := cloud.LoadTemplate(dev, region, registry(t, env, false, more...)); err != nil {
			t.Fatal(err)
		}
	}
	install("ReaderAccountIds=" + staging)
	owner := accounts.Connect(url, dev, region)
	for _, w := range env.Workloads {
		if _, err := owner.Push(t.Context(), w.Repository, "one", "v1.0.0", "latest"); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, tag := range []string{"v1.0.0", "latest", "env-dev-1", "git-abc123f"} {
		got[tag] = "moves"
		if _, err := owner.Push(t.Context(), "myproject_backend", "one", tag); err != nil {
			t.Fatal(err)
		}
		if _, err := owner.Push(t.Context(), "myproject_backend", "two", tag); err != nil {
			got[tag] = err.Error()[strings.LastIndex(err.Error(), ": ")+2:]
		}
	}
	const immutable = "The image tag '%s' already exists in the 'myproject_backend' repository and cannot be " +
		"overwritten " +
		"because the tag is immutable."
	want := map[string]string{"latest": "moves", "env-dev-1": "moves", "v1.0.0": fmt.Sprintf(immutable, "v1.0.0"),
		"git-abc123f": fmt.Sprintf(immutable, "git-abc123f")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	readers := func() (allowed []string) {
		for _, account := range []string{dev, staging, prod} {
			_, err := accounts.Connect(url, account, region).ECR.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
				RegistryId: aws.String(dev), RepositoryName: aws.String("myproject_service_web-api")})
			if err == nil {
				allowed = append(allowed, account)
			}
		}
		return allowed
	}
	if got := readers(); !slices.Equal(got, []string{dev, staging}) {
		t.Errorf("%v may read", got)
	}
	cloud.SetOrganization("o-a1b2c3d4e5", dev, prod)
	install("OrganizationId=o-a1b2c3d4e5")
	if got := readers(); !slices.Equal(got, []string{dev, prod}) {
		t.Errorf("after the update, %v may read", got)
	}
}
