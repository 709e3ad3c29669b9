package access

import (
	"os"
	"testing"

	"deployer/internal/iam"
	"deployer/testbed/aws/cloudformation"
)

// caller returns a request of a role.
func caller(account, org, action, resource string) iam.Request {
	return iam.Request{Principal: "arn:aws:iam::" + account + ":role/any", Account: account, Organization: org,
		Action: action, Resource: resource}
}

// anonymous is a caller without credentials.
func anonymous(action, resource string) iam.Request {
	return iam.Request{Principal: "*", Action: action, Resource: resource}
}

// question is a request and the decision that a policy should have for it.
type question struct {
	name string
	iam.Request
	want iam.Decision
}

func ask(t *testing.T, d *iam.Document, questions []question) {
	t.Helper()
	for _, q := range questions {
		if got := d.Evaluate(q.Request); got != q.want {
			t.Errorf("%s: %s, want %s", q.name, got, q.want)
		}
	}
}

func TestRepositoryLetsIn(t *testing.T) {
	t.Parallel()
	byOrganization, err := Repository(example(t, "centralized-dev-ecr/dev"), Callers{Organization: organization})
	must(t, err)
	ask(t, parse(t, byOrganization.JSON, ""), []question{
		{"prod pulls", caller(prodAccount, organization, "ecr:BatchGetImage", backend), iam.Allow},
		{"prod reads layers", caller(prodAccount, organization, "ecr:GetDownloadUrlForLayer", backend), iam.Allow},
		{"prod asks for the time of a push", caller(prodAccount, organization, "ecr:DescribeImages", backend),
			iam.Allow},
		{"prod pushes", caller(prodAccount, organization, "ecr:PutImage", backend), iam.NoMatch},
		{"prod opens the door", caller(prodAccount, organization, "ecr:SetRepositoryPolicy", backend), iam.NoMatch},
		{"another organization", caller(stranger, "o-zzzzzzzzzz", "ecr:BatchGetImage", backend), iam.NoMatch},
		{"an account without an organization", caller(stranger, "", "ecr:BatchGetImage", backend), iam.NoMatch},
		{"anonymous", anonymous("ecr:BatchGetImage", backend), iam.NoMatch},
	})
	byAccount, err := Repository(example(t, "centralized-dev-ecr/dev"),
		Callers{Accounts: []string{stagingAccount, prodAccount}})
	must(t, err)
	ask(t, parse(t, byAccount.JSON, ""), []question{
		{"staging pulls", caller(stagingAccount, "", "ecr:BatchGetImage", backend), iam.Allow},
		{"prod checks layers", caller(prodAccount, "", "ecr:BatchCheckLayerAvailability", backend), iam.Allow},
		{"prod deletes", caller(prodAccount, "", "ecr:BatchDeleteImage", backend), iam.NoMatch},
		{"another account", caller(stranger, organization, "ecr:BatchGetImage", backend), iam.NoMatch},
		{"anonymous", anonymous("ecr:BatchGetImage", backend), iam.NoMatch},
	})
	ofFile, err := Repository(example(t, "centralized-dev-ecr/prod"), Callers{})
	must(t, err)
	ask(t, parse(t, ofFile.JSON, ""), []question{
		{"prod pulls", caller(prodAccount, "", "ecr:BatchGetImage", backend), iam.Allow},
		{"staging pulls", caller(stagingAccount, "", "ecr:BatchGetImage", backend), iam.NoMatch},
	})
}

func TestBusLetsIn(t *testing.T) {
	t.Parallel()
	const bus = "arn:aws:events:us-east-1:222222222222:event-bus/default"
	put := func(account, org, source, detailType, bus string) iam.Request {
		r := caller(account, org, "events:PutEvents", bus)
		r.Context = map[string]string{"events:source": source, "events:detail-type": detailType}
		return r
	}
	silent := caller(prodAccount, "", "events:PutEvents", bus) // without a source: ForAllValues alone would allow it
	silent.Context = map[string]string{"events:detail-type": "DEPLOY"}
	untyped := caller(prodAccount, "", "events:PutEvents", bus) // without a detail-type
	untyped.Context = map[string]string{"events:source": "action.staging"}
	rules := caller(prodAccount, "", "events:PutRule", bus)
	rules.Context = map[string]string{"events:source": "action.staging", "events:detail-type": "DEPLOY"}
	both := []question{
		{"the registry forwards a push", put(devAccount, "", "aws.ecr", "ECR Image Action", bus), iam.Allow},
		{"the registry forwards a replication", put(devAccount, "", "aws.ecr", "ECR Replication Action", bus),
			iam.Allow},
		{"the registry sends a DEPLOY", put(devAccount, "", "action.staging", "DEPLOY", bus), iam.NoMatch},
		{"the registry sends another of ECR's", put(devAccount, "", "aws.ecr", "ECR Image Scan", bus), iam.NoMatch},
		{"another account forwards a push", put(stranger, "o-zzzzzzzzzz", "aws.ecr", "ECR Image Action", bus),
			iam.NoMatch},
		{"another account", put(stranger, "o-zzzzzzzzzz", "action.staging", "DEPLOY", bus), iam.NoMatch},
		{"anonymous", iam.Request{Principal: "*", Action: "events:PutEvents", Resource: bus, Context: silent.Context},
			iam.NoMatch},
	}
	staging := example(t, "centralized-dev-ecr/staging")
	byAccount, err := Bus(staging, Callers{Accounts: []string{prodAccount}})
	must(t, err)
	ask(t, parse(t, byAccount.JSON, ""), append([]question{
		{"a sender", put(prodAccount, "", "action.staging", "DEPLOY", bus), iam.Allow},
		{"another environment's source", put(prodAccount, "", "action.prod", "DEPLOY", bus), iam.NoMatch},
		{"another detail-type", put(prodAccount, "", "action.staging", "deploy", bus), iam.NoMatch},
		{"another bus", put(prodAccount, "", "action.staging", "DEPLOY", bus+"2"), iam.NoMatch},
		{"no source", silent, iam.NoMatch},
		{"no detail-type", untyped, iam.NoMatch},
		{"another action", rules, iam.NoMatch},
		{"a sender forwards a push", put(prodAccount, "", "aws.ecr", "ECR Image Action", bus), iam.NoMatch},
	}, both...))
	byOrganization, err := Bus(staging, Callers{Organization: organization})
	must(t, err)
	ask(t, parse(t, byOrganization.JSON, ""), append([]question{
		{"a sender", put(prodAccount, organization, "action.staging", "DEPLOY", bus), iam.Allow},
		{"no organization", put(prodAccount, "", "action.staging", "DEPLOY", bus), iam.NoMatch},
		{"another environment's source", put(prodAccount, organization, "action.prod", "DEPLOY", bus), iam.NoMatch},
	}, both...))
	prod, err := Bus(example(t, "centralized-dev-ecr/prod"), Callers{Accounts: []string{stagingAccount}})
	must(t, err)
	ask(t, parse(t, prod.JSON, ""), []question{
		{"a push, where pushes deploy nothing",
			put(devAccount, "", "aws.ecr", "ECR Image Action",
				"arn:aws:events:us-east-1:333333333333:event-bus/default"), iam.NoMatch},
	})
}

// TestBusKeepsTheStack checks that this policy and the stack's own decide the same about
// pushes, so that one can replace the other.
func TestBusKeepsTheStack(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../deploy/template.yaml")
	must(t, err)
	stack, err := cloudformation.Load(source, cloudformation.Parameters{Account: stagingAccount, Region: "us-east-1",
		Stack: "deployer",
		Values: map[string]string{"Project": "myproject", "Env": "staging", "EcrAccountId": devAccount,
			"EcrAccountRegion": "us-east-1"}})
	must(t, err)
	policies := stack.BusPolicies()
	if len(policies) != 1 {
		t.Fatalf("the stack has %d policies of buses, want 1", len(policies))
	}
	theirs := parse(t, string(policies[0].Document), "")
	p, err := Bus(example(t, "centralized-dev-ecr/staging"), Callers{})
	must(t, err)
	ours := parse(t, p.JSON, "")
	for _, account := range []string{devAccount, stagingAccount, prodAccount, stranger} {
		for _, source := range []string{"aws.ecr", "aws.ecs", "action.staging"} {
			for _, detailType := range []string{"ECR Image Action", "ECR Replication Action", "ECR Image Scan",
				"DEPLOY", ""} {
				r := caller(account, "", "events:PutEvents", policies[0].BusARN)
				r.Context = map[string]string{"events:source": source}
				if detailType != "" {
					r.Context["events:detail-type"] = detailType
				}
				if a, b := theirs.Evaluate(r), ours.Evaluate(r); a != b {
					t.Errorf("%s of %s from account %s: the stack says %s, this %s", detailType, source, account, a, b)
				}
			}
		}
	}
}

func TestGitHubLetsIn(t *testing.T) {
	t.Parallel()
	p, err := GitHub(example(t, "centralized-dev-ecr/dev"), Source{"octocat", "shop", "123456", "456789"})
	must(t, err)
	token := func(sub, aud string) iam.Request {
		return iam.Request{Principal: "arn:aws:iam::111111111111:oidc-provider/" + issuer,
			Action:  "sts:AssumeRoleWithWebIdentity",
			Context: map[string]string{issuer + ":sub": sub, issuer + ":aud": aud}}
	}
	other := token("repo:octocat/shop:environment:dev", "sts.amazonaws.com")
	other.Principal = "arn:aws:iam::111111111111:oidc-provider/gitlab.com"
	ask(t, parse(t, p.JSON, "AssumeRolePolicyDocument"), []question{
		{"by its name", token("repo:octocat/shop:environment:dev", "sts.amazonaws.com"), iam.Allow},
		{"by its ids", token("repo:octocat@123456/shop@456789:environment:dev", "sts.amazonaws.com"), iam.Allow},
		{"another's ids", token("repo:octocat@9/shop@456789:environment:dev", "sts.amazonaws.com"), iam.NoMatch},
		{"another environment", token("repo:octocat/shop:environment:prod", "sts.amazonaws.com"), iam.NoMatch},
		{"no environment", token("repo:octocat/shop:ref:refs/heads/main", "sts.amazonaws.com"), iam.NoMatch},
		{"a pull request", token("repo:octocat/shop:pull_request", "sts.amazonaws.com"), iam.NoMatch},
		{"another repository", token("repo:octocat/shop2:environment:dev", "sts.amazonaws.com"), iam.NoMatch},
		{"another audience", token("repo:octocat/shop:environment:dev", "https://github.com/octocat"), iam.NoMatch},
		{"another issuer", other, iam.NoMatch},
	})
	put := caller(devAccount, "", "events:PutEvents", "arn:aws:events:us-east-1:111111111111:event-bus/default")
	put.Context = map[string]string{"events:source": "action.dev", "events:detail-type": "DEPLOY"}
	untyped := put
	untyped.Context = map[string]string{"events:source": "action.dev"}
	elsewhere := put
	elsewhere.Resource = "arn:aws:events:us-east-1:333333333333:event-bus/default"
	forged := put
	forged.Context = map[string]string{"events:source": "action.prod", "events:detail-type": "DEPLOY"}
	ask(t, parse(t, p.JSON, "PolicyDocument"), []question{
		{"sends a DEPLOY", put, iam.Allow},
		{"to another bus", elsewhere, iam.NoMatch},
		{"without a detail-type", untyped, iam.NoMatch},
		{"from another source", forged, iam.NoMatch},
		{"logs in", caller(devAccount, "", "ecr:GetAuthorizationToken", "*"), iam.Allow},
		{"pushes", caller(devAccount, "", "ecr:PutImage", backend), iam.Allow},
		{"pushes elsewhere", caller(devAccount, "", "ecr:PutImage", backend+"2"), iam.NoMatch},
		{"deletes", caller(devAccount, "", "ecr:BatchDeleteImage", backend), iam.NoMatch},
		{"reads what the function decided", caller(devAccount, "", "logs:FilterLogEvents",
			"arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/myproject_deployer_dev:*"), iam.Allow},
		{"reads another log", caller(devAccount, "", "logs:FilterLogEvents",
			"arn:aws:logs:us-east-1:111111111111:log-group:/ecs/myproject_service_dev:*"), iam.NoMatch},
		{"reads the lines of a container", caller(devAccount, "", "logs:GetLogEvents",
			"arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/myproject_deployer_dev:*"), iam.NoMatch},
		{"deploys by itself", caller(devAccount, "", "ecs:UpdateService", "*"), iam.NoMatch},
	})
	prod, err := GitHub(example(t, "centralized-dev-ecr/prod"), Source{Owner: "octocat", Name: "shop"})
	must(t, err)
	ask(t, parse(t, prod.JSON, "PolicyDocument"), []question{
		{"pushes to a registry that is another's", caller(prodAccount, "", "ecr:PutImage", backend), iam.NoMatch},
		{"logs in to it", caller(prodAccount, "", "ecr:GetAuthorizationToken", "*"), iam.NoMatch},
	})
	same, err := GitHub(
		file(t,
			"env: prod\nregion: eu-west-1\naccount_id: \"111111111111\"\necr_strategy: cross_account\n"+
				"ecr_account_id: \"111111111111\"\necr_account_region: us-east-1\n"),
		Source{Owner: "octocat", Name: "shop"})
	must(t, err)
	ask(t, parse(t, same.JSON, "PolicyDocument"), []question{
		{"pushes to a registry that is dev's, in one account", caller(devAccount, "", "ecr:PutImage", backend),
			iam.NoMatch},
	})
	ask(t, parse(t, prod.JSON, "AssumeRolePolicyDocument"), []question{
		{"by ids that were not given", token("repo:octocat@123456/shop@456789:environment:prod", "sts.amazonaws.com"),
			iam.NoMatch},
	})
}
