package ecr_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestBatchDeleteImage(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	one := w.Push(t, dev, "myproject_backend", "one", "latest")
	w.Push(t, dev, "myproject_backend", "one", "git-abc123f")
	child := w.Push(t, dev, "myproject_backend", "child", "")
	body, err := json.Marshal(map[string]string{"repositoryName": "myproject_backend",
		"imageManifest": index(emulatortest.Manifest("child")), "imageTag": "multi"})
	if err != nil {
		t.Fatal(err)
	}
	w.Do(t, dev, "ecr:PutImage", string(body))
	parent := emulatortest.Digest(index(emulatortest.Manifest("child")))
	steps := []struct{ name, ids, want string }{
		{"one of two tags", `{"imageTag":"latest"}`, `{"failures":[],"imageIds":[{"imageDigest":"` + one +
			`","imageTag":"latest"}]}`},
		{"the last tag", `{"imageTag":"git-abc123f"}`, `{"failures":[],"imageIds":[{"imageDigest":"` + one +
			`","imageTag":"git-abc123f"}]}`},
		{"gone", `{"imageDigest":"` + one + `"}`, `{"failures":[{"imageId":{"imageDigest":"` + one +
			`"},"failureCode":"ImageNotFound","failureReason":"Requested image not found"}],"imageIds":[]}`},
		{"a part of an index", `{"imageDigest":"` + child + `"}`, `{"failures":[{"imageId":{"imageDigest":"` + child +
			`"},"failureCode":"ImageReferencedByManifestList","failureReason":"Requested image referenced by ` +
			`manifest list: [` + parent + `]"}],"imageIds":[]}`},
		{"the index, then its part", `{"imageDigest":"` + parent + `"},{"imageDigest":"` + child + `"}`,
			`{"failures":[],"imageIds":[{"imageDigest":"` + parent + `","imageTag":"multi"},{"imageDigest":"` + child +
				`"}]}`},
	}
	for _, s := range steps {
		got := w.Do(t, dev, "ecr:BatchDeleteImage", `{"repositoryName":"myproject_backend","imageIds":[`+s.ids+`]}`)
		if diff := cmp.Diff(s.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
	if got := w.Do(t, dev, "ecr:DescribeImages",
		`{"repositoryName":"myproject_backend"}`); got != `{"imageDetails":[]}` {
		t.Errorf("left over: %s", got)
	}
}
