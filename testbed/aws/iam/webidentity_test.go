package iam_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/aws/iam"
)

// TestAssumeRoleWithWebIdentity checks whose tokens a role's trust policy accepts.
func TestAssumeRoleWithWebIdentity(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.AWS.SetRolePolicy(dev, "Build", emulatortest.Policy(t, emulatortest.Allow("ecr:*", "*")))
	w.AWS.SetTrust(dev, "Build", emulatortest.Policy(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
		"Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/issuer.example"},
		"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{
		"issuer.example:sub":"repo:octocat/shop:environment:dev","issuer.example:aud":"sts.amazonaws.com"}}}}`))
	const right, aud = "repo:octocat/shop:environment:dev", "sts.amazonaws.com"
	for _, tt := range []struct{ name, role, token, want string }{
		{"trusted", "Build", iam.Token("https://issuer.example", right, aud), ""},
		{"another subject", "Build", iam.Token("https://issuer.example", right+"2", aud), "AccessDenied"},
		{"another audience", "Build", iam.Token("https://issuer.example", right, "other"), "AccessDenied"},
		{"another issuer", "Build", iam.Token("https://other.example", right, aud), "AccessDenied"},
		{"a role that trusts no one", "Other", iam.Token("https://issuer.example", right, aud), "AccessDenied"},
		{"no token", "Build", "x", "InvalidIdentityToken"},
	} {
		out, err := w.STS("").AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::111111111111:role/" + tt.role), RoleSessionName: aws.String("s"),
			WebIdentityToken: aws.String(tt.token)})
		switch {
		case tt.want == "" && (err != nil || *out.Credentials.AccessKeyId != dev+"-Build"):
			t.Errorf("%s: %v, %v", tt.name, out, err)
		case tt.want == "AccessDenied":
			emulatortest.WantError(t, err, tt.want, "Not authorized to perform sts:AssumeRoleWithWebIdentity")
		case tt.want != "":
			emulatortest.WantError(t, err, tt.want, "The ID Token provided is not a valid JWT.")
		}
	}
}

// TestObserve checks that every decision is observed, with its end.
func TestObserve(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.AWS.SetRolePolicy(dev, "Build", emulatortest.Policy(t, emulatortest.Allow("ecr:GetAuthorizationToken", "*")))
	var got []string
	w.AWS.Observe(func(c iam.Check) {
		if c.Allowed {
			got = append(got, c.Request.Principal+" "+c.Request.Action)
		}
	})
	if _, err := w.ECR(dev+"-Build").GetAuthorizationToken(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ECR(dev+"-Build").DescribeRepositories(t.Context(), nil); err == nil {
		t.Error("a role without permission may describe repositories")
	}
	if len(got) != 1 || got[0] != "arn:aws:iam::111111111111:role/Build ecr:GetAuthorizationToken" {
		t.Errorf("allowed: %q", got)
	}
}
