package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The two policies of docs/strategies.md for repositories: by organization, and by account.
const (
	organizationPolicy = `{
		"Version": "2008-10-17",
		"Statement": [{
			"Sid": "External read ECR policy", "Effect": "Allow", "Principal": "*",
			"Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer"],
			"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
		}]
	}`
	manualPolicy = `{
		"Version": "2012-10-17",
		"Statement": [{
			"Effect": "Allow",
			"Principal": {"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]},
			"Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability"]
		}]
	}`
)

const repository = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"

// prod is a request of production's deployer for an image in dev's registry.
var prod = Request{
	Principal:    "arn:aws:iam::333333333333:role/myproject_deployer_prod",
	Account:      "333333333333",
	Organization: "o-a1b2c3d4e5",
	Action:       "ecr:BatchGetImage",
	Resource:     repository,
}

// with returns prod with a change.
func with(f func(*Request)) Request {
	r := prod
	f(&r)
	return r
}

// allow returns a policy with one Allow statement with the given members.
func allow(members string) string {
	return `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", ` + members + `}}`
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		doc     string
		request Request
		want    Decision
	}{
		{"organization", organizationPolicy, prod, Allow},
		{"another organization", organizationPolicy, with(func(r *Request) { r.Organization = "o-zzzzzzzzzz" }),
			NoMatch},
		{"no organization", organizationPolicy, with(func(r *Request) { r.Organization = "" }), NoMatch},
		{"organization, action not listed", organizationPolicy, with(func(r *Request) { r.Action = "ecr:PutImage" }),
			NoMatch},
		{"manual", manualPolicy, prod, Allow},
		{"manual, another account", manualPolicy, with(func(r *Request) { r.Account = "444444444444" }), NoMatch},
		{"manual lacks DescribeImages", manualPolicy, with(func(r *Request) { r.Action = "ecr:DescribeImages" }),
			NoMatch},

		{"action in another case", allow(`"Action": "ecr:batchGETimage", "Resource": "*"`), prod, Allow},
		{"principal id", allow(`"Principal": {"AWS": "333333333333"}, "Action": "ecr:*"`), prod, Allow},
		{"principal role",
			allow(`"Principal": {"AWS": "arn:aws:iam::333333333333:role/myproject_deployer_prod"}, "Action": "ecr:*"`),
			prod, Allow},
		{"principal, another role",
			allow(`"Principal": {"AWS": "arn:aws:iam::333333333333:role/admin"}, "Action": "ecr:*"`), prod, NoMatch},
		{"principal everyone", allow(`"Principal": {"AWS": "*"}, "Action": "ecr:*"`), prod, Allow},
		{"principal service", allow(`"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"`),
			Request{Principal: "events.amazonaws.com", Action: "sqs:SendMessage",
				Resource: "arn:aws:sqs:us-east-1:111111111111:q"}, Allow},
		{"principal service, another", allow(`"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "ecr:*"`),
			prod, NoMatch},
		{"principals of two kinds",
			allow(`"Principal": {"Service": "lambda.amazonaws.com", "AWS": "333333333333"}, "Action": "ecr:*"`), prod,
			Allow},

		{"identity",
			allow(
				`"Action": "ecr:BatchGetImage",
				"Resource": "arn:aws:ecr:us-east-1:111111111111:repository/myproject_*"`), prod, Allow},
		{"resource case",
			allow(
				`"Action": "ecr:BatchGetImage",
				"Resource": "arn:aws:ecr:us-east-1:111111111111:repository/MyProject_*"`), prod, NoMatch},
		{"resource of another account",
			allow(`"Action": "ecr:BatchGetImage", "Resource": "arn:aws:ecr:us-east-1:333333333333:repository/*"`), prod,
			NoMatch},
		{"resource one character",
			allow(`"Action": "ecr:BatchGetImage", "Resource": "arn:aws:ecr:us-east-?:*:repository/myproject_backend"`),
			prod, Allow},
		{"resource star in the middle", allow(`"Action": "ecr:BatchGetImage", "Resource": "arn:*:repository/*_back*d"`),
			prod, Allow},
		{"no such thing as part of a resource",
			allow(
				`"Action": "ecr:BatchGetImage", "Resource": "arn:aws:ecr:us-east-1:111111111111:repository/myproject"`),
			prod, NoMatch},
		{"not action", allow(`"NotAction": "ecr:PutImage", "Resource": "*"`), prod, Allow},
		{"not action, the action", allow(`"NotAction": ["ecr:PutImage", "ecr:Batch*"], "Resource": "*"`), prod,
			NoMatch},
		{"not resource", allow(`"Action": "*", "NotResource": "arn:aws:ecr:us-east-1:111111111111:repository/other_*"`),
			prod, Allow},
		{"not resource, the resource",
			allow(`"Action": "*", "NotResource": "arn:aws:ecr:us-east-1:111111111111:repository/myproject_*"`), prod,
			NoMatch},
		{"deny wins", `{"Statement": [
			{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
			{"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "111111111111"}}},
			{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}`, prod, Deny},
		{"denial of another action", `{"Statement": [
			{"Effect": "Deny", "Action": "ecr:PutImage", "Resource": "*"},
			{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}`, prod, Allow},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, err := Parse([]byte(test.doc))
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Evaluate(test.request); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ecs:RunTask","Resource":"*","Condition":{"StringEquals":{"ecs:cluster":"c",
			"aws:ResourceTag/team":"a"},"StringNotEquals":{"aws:resourcetag/team":"b"}}},
		{"Effect":"Deny","Action":"ecs:StopTask","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := d.Missing(Request{Action: "ecs:RunTask", Resource: "r", Context: map[string]string{"ecs:cluster": "c"}})
	if diff := cmp.Diff([]string{"aws:resourcetag/team", "aws:securetransport"}, got); diff != "" {
		t.Error(diff)
	}
}
