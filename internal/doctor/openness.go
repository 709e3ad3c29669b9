package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/iam"
)

// sensitive are the actions on a repository that must not be open to every account.
var sensitive = slices.Concat(pulling, []string{"ecr:DescribeImages", "ecr:ListImages", "ecr:PutImage",
	"ecr:BatchDeleteImage", "ecr:DeleteRepository", "ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy",
	"ecr:PutLifecyclePolicy", "ecr:PutImageTagMutability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
	"ecr:CompleteLayerUpload", "ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ecr:DescribeImageScanFindings",
	"ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy"})

// openness reports whether the repository is open to every AWS account.
func (f *findings) openness(c *checker, r *repository) {
	text, err := r.policy()
	if err != nil {
		f.notChecked(c, "repository policy", "ecr:GetRepositoryPolicy", r.arn.String(), err)
		return
	}
	if text == "" {
		f.ok("repository policy", "none: only account %s has access", r.registry.AccountID)
		return
	}
	document, err := iam.Parse([]byte(text))
	if err != nil {
		document = readable(text)
	}
	if open := r.open(document); len(open) > 0 {
		seen := "critical: open to every AWS account: " + strings.Join(open, ", ")
		if len(open) == len(sensitive) {
			seen = "critical: open to every AWS account: all actions"
		}
		f.add("repository policy", Problem, seen,
			fmt.Sprintf("in account %s, replace it with the policy for your organization, by its id: %s",
				r.registry.AccountID, c.env.Command("policy repository", "--org", "o-a1b2c3d4e5")))
		return
	}
	if err != nil {
		f.add("repository policy", Unknown, "not checked: "+err.Error(),
			"read it: aws ecr get-repository-policy --registry-id "+r.registry.AccountID+" --region "+r.registry.Region+
				" --repository-name "+r.name)
		return
	}
	f.ok("repository policy", "not open to every AWS account")
}

// open returns the sensitive actions that a policy allows every account. Nil is a policy that allows nothing.
func (r *repository) open(document *iam.Document) (actions []string) {
	if document == nil {
		return nil
	}
	for _, action := range sensitive {
		if document.Evaluate(stranger(r, action)) == iam.Allow {
			actions = append(actions, action)
		}
	}
	return actions
}

// readable returns the statements of a policy that can be evaluated, if others cannot: what they allow is allowed,
// unless one of the others denies it. Then it returns nil.
func readable(text string) *iam.Document {
	var policy struct {
		Version   string
		Statement json.RawMessage
	}
	var statements []json.RawMessage
	if json.Unmarshal([]byte(text), &policy) != nil || json.Unmarshal(policy.Statement, &statements) != nil {
		return nil
	}
	var kept []json.RawMessage
	for _, s := range statements {
		if _, err := iam.Parse(slices.Concat([]byte(`{"Statement":`), s, []byte("}"))); err == nil {
			kept = append(kept, s)
			continue
		}
		var other struct{ Effect string }
		if json.Unmarshal(s, &other) != nil || other.Effect != "Allow" {
			return nil
		}
	}
	joined, err := json.Marshal(map[string]any{"Statement": kept})
	if err != nil {
		return nil
	}
	document, err := iam.Parse(joined)
	if err != nil {
		return nil
	}
	return document
}

// stranger returns a request from an account outside the project and its organization.
func stranger(r *repository, action string) iam.Request {
	const account = "000000000000"
	return iam.Request{Principal: "arn:" + r.arn.Partition + ":iam::" + account + ":role/stranger", Account: account,
		Organization: "o-stranger00", Action: action, Resource: r.arn.String(), Anyone: true}
}
