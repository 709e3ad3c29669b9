package doctor

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// TestOpenness checks which repository policies are open to every AWS account.
func TestOpenness(t *testing.T) {
	t.Parallel()
	const (
		pull   = `"Effect":"Allow","Principal":"*","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]`
		opened = "critical: open to every AWS account: ecr:BatchGetImage, ecr:GetDownloadUrlForLayer"
		closed = "not open to every AWS account"
	)
	tests := []struct{ name, statements, want string }{
		{"everyone", `{` + pull + `}`, opened},
		{"everyone as an AWS principal", strings.ReplaceAll(`{`+pull+`}`, `"*"`, `{"AWS":"*"}`), opened},
		{"everyone in a list", strings.ReplaceAll(`{`+pull+`}`, `"*"`, `{"AWS":["222222222222","*"]}`), opened},
		{"all actions", `{"Effect":"Allow","Principal":"*","Action":"ecr:*"}`,
			"critical: open to every AWS account: all actions"},
		{"uploads alone", `{"Effect":"Allow","Principal":"*","Action":"ecr:CompleteLayerUpload"}`,
			"critical: open to every AWS account: ecr:CompleteLayerUpload"},
		{"the organization",
			`{` + pull + `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`, closed},
		{"accounts", `{` + pull + `,"Condition":{"StringEquals":{"aws:PrincipalAccount":["222222222222"]}}}`, closed},
		{"roles of an account",
			`{` + pull + `,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/*"}}}`, closed},
		{"calls for an account", `{` + pull + `,"Condition":{"StringEquals":{"aws:SourceAccount":"222222222222"}}}`,
			closed},
		{"any organization", `{` + pull + `,"Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}`, opened},
		{"all but one organization",
			`{` + pull + `,"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`, opened},
		{"members of any organization", `{` + pull + `,"Condition":{"Null":{"aws:PrincipalOrgID":"false"}}}`, opened},
		{"an organization, if there is one",
			`{` + pull + `,"Condition":{"StringEqualsIfExists":{"aws:SourceAccount":"222222222222"}}}`, opened},
		{"encrypted connections", `{` + pull + `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, opened},
		{"the organization of the repository itself",
			`{` + pull + `,"Condition":{"StringEquals":{"aws:ResourceOrgID":"o-a1b2c3d4e5"}}}`, opened},
		{"a tag that callers choose",
			`{` + pull + `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"shop"}}}`, opened},
		{"others denied", `{` + pull + `},{"Effect":"Deny","Principal":"*","Action":"ecr:*",` +
			`"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`, closed},
		{"open connections denied", `{` + pull + `},{"Effect":"Deny","Principal":"*","Action":"ecr:*",` +
			`"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, opened},
		{"beside a statement that is not understood", `{` + pull + `},{"Effect":"Allow","Principal":"*",` +
			`"Action":"ecr:*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`, opened},
		{"beside a denial that is not understood", `{` + pull + `},{"Effect":"Deny","Principal":"*",` +
			`"Action":"ecr:*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`, "not checked: parsing " +
			"policy: statement 2: the Condition NotIpAddress aws:SourceIp has an operator that is not supported"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := `{"Version":"2012-10-17","Statement":[` + tt.statements + `]}`
			f := &findings{}
			f.openness(&checker{env: &environment.Environment{File: "dev.yaml"}}, &repository{
				registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"}, name: "web",
				arn: arn.ARN{Partition: "aws", Service: "ecr", Region: "us-east-1", AccountID: "111111111111",
					Resource: "repository/web"},
				policy: func() (string, error) { return text, nil }})
			if diff := cmp.Diff(tt.want, f.list[0].Seen); diff != "" || len(f.list) != 1 {
				t.Errorf("%v:\n%s", f.list, diff)
			}
		})
	}
}
