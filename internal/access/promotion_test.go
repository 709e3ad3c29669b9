package access

import (
	"testing"

	"deployer/internal/iam"
)

// TestPromotionLetsIn: the role may read the source and write the target, and no more.
func TestPromotionLetsIn(t *testing.T) {
	t.Parallel()
	const target = "arn:aws:ecr:us-east-1:333333333333:repository/myproject_backend"
	role := func(action, resource string) iam.Request { return caller(prodAccount, "", action, resource) }
	copying, err := Promotion(example(t, "isolated-production-ecr/dev"), example(t, "isolated-production-ecr/prod"))
	must(t, err)
	ask(t, parse(t, copying.JSON, ""), []question{
		{"reads the source", role("ecr:BatchGetImage", backend), iam.Allow},
		{"reads its layers", role("ecr:GetDownloadUrlForLayer", backend), iam.Allow},
		{"writes the source", role("ecr:PutImage", backend), iam.NoMatch},
		{"writes the target", role("ecr:PutImage", target), iam.Allow},
		{"deletes", role("ecr:BatchDeleteImage", target), iam.NoMatch},
		{"writes another repository", role("ecr:PutImage", target+"_other"), iam.NoMatch},
	})
	tagging, err := Promotion(example(t, "centralized-dev-ecr/staging"), example(t, "centralized-dev-ecr/prod"))
	must(t, err)
	ask(t, parse(t, tagging.JSON, ""), []question{
		{"reads the image", role("ecr:BatchGetImage", backend), iam.Allow},
		{"puts the tag", role("ecr:PutImage", backend), iam.Allow},
		{"uploads layers", role("ecr:UploadLayerPart", backend), iam.NoMatch},
	})
}

func TestPromotionErrors(t *testing.T) {
	t.Parallel()
	const prod = "env: prod\nregion: us-east-1\naccount_id: \"333333333333\"\n"
	for _, tt := range []struct{ name, from, to, want string }{
		{"the target's account is not known", prod, "env: dev\nregion: us-east-1\n",
			"x.yaml does not name the account of the environment, which is part of the ARN of its event bus (add " +
				"account_id to the file, or use --account)"},
		{"the source's account is not known", "env: dev\nregion: us-east-1\n", prod,
			"x.yaml does not name the account of its registry, which is part of the ARN of a repository (add " +
				"account_id to the file)"},
	} {
		_, err := Promotion(file(t, tt.from), file(t, tt.to))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}
