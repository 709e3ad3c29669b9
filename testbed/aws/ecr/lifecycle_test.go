package ecr_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestLifecyclePolicy(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web"}`)
	client := w.ECR(dev)
	get := func() (string, error) {
		out, err := client.GetLifecyclePolicy(t.Context(),
			&ecr.GetLifecyclePolicyInput{RepositoryName: aws.String("web")})
		if err != nil {
			return "", err
		}
		return *out.LifecyclePolicyText, nil
	}
	_, err := get()
	emulatortest.WantError(t, err, "LifecyclePolicyNotFoundException",
		"Lifecycle policy does not exist for the repository with name 'web' in the registry with id '111111111111'")
	for _, text := range []string{
		`x`, `{}`, `{"rules":[]}`, `{"rules":[{"rulePriority":1}]}`,
		`{"rules":[{"rulePriority":0,"selection":{},"action":{}}]}`,
		`{"rules":[{"rulePriority":1,"selection":{},"action":{}},{"rulePriority":1,"selection":{},"action":{}}]}`,
	} {
		_, err := client.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("web"),
			LifecyclePolicyText: &text})
		emulatortest.WantError(t, err, "InvalidParameterException",
			"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation "+
				"failure'")
	}
	const text = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan",` +
		`"countNumber":10},"action":{"type":"expire"}}]}`
	if _, err := client.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("web"),
		LifecyclePolicyText: aws.String(text)}); err != nil {
		t.Fatal(err)
	}
	if got, err := get(); got != text || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	_, err = w.ECR(prod).GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RegistryId: aws.String(dev),
		RepositoryName: aws.String("web")})
	emulatortest.WantError(t, err, "AccessDeniedException", "User: arn:aws:iam::333333333333:root is not authorized "+
		"to perform: ecr:GetLifecyclePolicy on resource: arn:aws:ecr:us-east-1:111111111111:repository/web because "+
		"no resource-based policy allows the ecr:GetLifecyclePolicy action")
}

// TestLifecycleRules checks which rules ECR accepts.
func TestLifecycleRules(t *testing.T) {
	t.Parallel()
	const expire, archive = `{"type":"expire"}`, `{"type":"transition","targetStorageClass":"archive"}`
	tests := []struct {
		name, selection, action string
		want                    bool
	}{
		{"archive by count", `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10`, archive, true},
		{"archive untagged images", `"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days",` +
			`"countNumber":14`, archive, true},
		{"archive what is not pulled",
			`"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90`, archive, true},
		{"delete what is not pulled",
			`"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90`, expire, false},
		{"delete what was archived", `"tagStatus":"any","storageClass":"archive",` +
			`"countType":"sinceImageTransitioned","countUnit":"days","countNumber":90`, expire, true},
		{"delete what was archived too soon", `"tagStatus":"any","storageClass":"archive",` +
			`"countType":"sinceImageTransitioned","countUnit":"days","countNumber":89`, expire, false},
		{"archived images without the class",
			`"tagStatus":"any","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90`,
			expire, false},
		{"a transition without a class", `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10`,
			`{"type":"transition"}`, false},
		{"an expiry with a class", `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10`,
			`{"type":"expire","targetStorageClass":"archive"}`, false},
		{"another action", `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10`,
			`{"type":"archive"}`, false},
		{"tagged without tags", `"tagStatus":"tagged","countType":"imageCountMoreThan","countNumber":10`,
			expire, false},
		{"five wildcards", `"tagStatus":"tagged","tagPatternList":["a*b*c*d*e*"],"countType":"imageCountMoreThan",` +
			`"countNumber":10`, expire, false},
		{"days of a count", `"tagStatus":"any","countType":"imageCountMoreThan","countUnit":"days","countNumber":10`,
			expire, false},
		{"none", `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":0`, expire, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web"}`)
			text := `{"rules":[{"rulePriority":1,"selection":{` + tt.selection + `},"action":` + tt.action + `}]}`
			_, err := w.ECR(dev).PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{
				RepositoryName: aws.String("web"), LifecyclePolicyText: &text})
			if (err == nil) != tt.want {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
}

// TestArchive: an archived image keeps its tags and can be described by name. It is not listed by default and cannot be
// pulled until it is pushed again.
func TestArchive(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"web"}`)
	v1 := w.Push(t, dev, "web", "one", "v1")
	client := w.ECR(dev)
	// state returns the results of a list, a description by name and a pull of the image.
	state := func() (listed int, status string, pull string) {
		t.Helper()
		list, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("web")})
		if err != nil {
			t.Fatal(err)
		}
		named, err := client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("web"),
			ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}}})
		if err != nil {
			t.Fatal(err)
		}
		pulled, err := client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("web"),
			ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range pulled.Failures {
			pull += string(f.FailureCode) + ": " + *f.FailureReason
		}
		return len(list.ImageDetails), string(named.ImageDetails[0].ImageStatus), pull
	}
	want := func(listed int, status, pull string) {
		t.Helper()
		type seen struct {
			Listed       int
			Status, Pull string
		}
		var got seen
		got.Listed, got.Status, got.Pull = state()
		if diff := cmp.Diff(seen{listed, status, pull}, got); diff != "" {
			t.Error(diff)
		}
	}
	want(1, "ACTIVE", "")
	if err := w.AWS.Archive(dev, "us-east-1", "web", v1); err != nil {
		t.Fatal(err)
	}
	want(0, "ARCHIVED", "ImageInaccessible: Image is archived")
	w.Push(t, dev, "web", "one", "v2")
	want(1, "ACTIVE", "")

	if err := w.AWS.Archive(dev, "us-east-1", "web", "sha256:0"); err == nil {
		t.Error("a missing image was archived")
	}
	if err := w.AWS.Archive(dev, "us-east-1", "other", v1); err == nil {
		t.Error("an image of a missing repository was archived")
	}
}
