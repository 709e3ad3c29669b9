package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/image"
)

// TestUnreadablePolicy checks that a policy which cannot be evaluated is unknown, not ok.
func TestUnreadablePolicy(t *testing.T) {
	t.Parallel()
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"NotPrincipal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"ecr:*"}]}`
	f := &findings{}
	f.openness(nil, &repository{registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"},
		name: "myproject_backend", policy: func() (string, error) { return text, nil }})
	want := []Finding{{"repository policy", "", Unknown,
		`not checked: parsing policy: statement 1: "NotPrincipal" is not a supported element`,
		"read it: aws ecr get-repository-policy --registry-id 111111111111 --region us-east-1 --repository-name " +
			"myproject_backend"}}
	if diff := cmp.Diff(want, f.list); diff != "" {
		t.Error(diff)
	}
}
