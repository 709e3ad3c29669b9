package iam

import (
	"testing"
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

// holds checks the decision of a statement with a condition.
func holds(t *testing.T, condition string, r Request, want Decision) {
	t.Helper()
	d, err := Parse([]byte(allow(`"Action": "ecr:BatchGetImage", "Resource": "*", "Condition": ` + condition)))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Evaluate(r); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCondition(t *testing.T) {
	t.Parallel()
	cluster := map[string]string{"ecs:cluster": "arn:aws:ecs:us-east-1:333333333333:cluster/myproject_cluster_prod"}
	tests := []struct {
		name      string
		condition string
		context   map[string]string
		want      Decision
	}{
		{"string", `{"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}`,
			map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}, Allow},
		{"string, another", `{"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}`,
			map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}, NoMatch},
		{"string, missing", `{"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}`, nil, NoMatch},
		{"string, other case", `{"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}}`,
			map[string]string{"ecs:CreateAction": "registertaskdefinition"}, NoMatch},
		{"key, other case", `{"StringEquals": {"ECS:createaction": "RunTask"}}`,
			map[string]string{"ecs:CreateAction": "RunTask"}, Allow},
		{"one of several values", `{"StringEquals": {"a:b": ["x", "y"]}}`, map[string]string{"a:b": "y"}, Allow},
		{"string, if exists, missing", `{"StringEqualsIfExists": {"a:b": "x"}}`, nil, Allow},
		{"string, if exists, another", `{"StringEqualsIfExists": {"a:b": "x"}}`, map[string]string{"a:b": "y"},
			NoMatch},
		{"not string", `{"StringNotEquals": {"a:b": ["x", "y"]}}`, map[string]string{"a:b": "z"}, Allow},
		{"not string, the string", `{"StringNotEquals": {"a:b": ["x", "y"]}}`, map[string]string{"a:b": "y"}, NoMatch},
		{"not string, missing", `{"StringNotEquals": {"a:b": "x"}}`, nil, Allow},
		{"ignoring case", `{"StringEqualsIgnoreCase": {"a:b": "X"}}`, map[string]string{"a:b": "x"}, Allow},
		{"like", `{"StringLike": {"a:b": "action.*"}}`, map[string]string{"a:b": "action.prod"}, Allow},
		{"like, another", `{"StringLike": {"a:b": "action.?"}}`, map[string]string{"a:b": "action.prod"}, NoMatch},
		{"not like", `{"StringNotLike": {"a:b": "action.*"}}`, map[string]string{"a:b": "action.prod"}, NoMatch},
		{"no wildcards in equals", `{"StringEquals": {"a:b": "action.*"}}`, map[string]string{"a:b": "action.prod"},
			NoMatch},
		{"ARN", `{"ArnEquals": {"ecs:cluster": "arn:aws:ecs:us-east-1:333333333333:cluster/myproject_cluster_prod"}}`,
			cluster, Allow},
		{"ARN, another", `{"ArnEquals": {"ecs:cluster": "arn:aws:ecs:us-east-1:333333333333:cluster/other"}}`, cluster,
			NoMatch},
		{"ARN like", `{"ArnLike": {"ecs:cluster": "arn:aws:ecs:*:333333333333:cluster/myproject_*"}}`, cluster, Allow},
		{"ARN like, star stays in its part", `{"ArnLike": {"ecs:cluster": "arn:aws:*:cluster/myproject_cluster_prod"}}`,
			cluster, NoMatch},
		{"not ARN", `{"ArnNotLike": {"ecs:cluster": "arn:aws:ecs:*:*:cluster/*"}}`, cluster, NoMatch},
		{"bool", `{"Bool": {"aws:SecureTransport": "false"}}`, map[string]string{"aws:SecureTransport": "false"},
			Allow},
		{"bool unquoted", `{"Bool": {"aws:SecureTransport": false}}`, map[string]string{"aws:SecureTransport": "true"},
			NoMatch},
		{"null", `{"Null": {"a:b": "true"}}`, nil, Allow},
		{"null, present", `{"Null": {"a:b": "true"}}`, map[string]string{"a:b": ""}, NoMatch},
		{"not null", `{"Null": {"a:b": "false"}}`, map[string]string{"a:b": "x"}, Allow},
		{"all values", `{"ForAllValues:StringEquals": {"events:source": "aws.ecr"}}`,
			map[string]string{"events:source": "aws.ecs"}, NoMatch},
		{"all values, missing", `{"ForAllValues:StringEquals": {"events:source": "aws.ecr"}}`, nil, Allow},
		{"any value, missing", `{"ForAnyValue:StringNotEquals": {"a:b": "x"}}`, nil, NoMatch},
		{"two operators", `{"StringEquals": {"a:b": "x"}, "ArnLike": {"ecs:cluster": "arn:aws:ecs:*:*:*"}}`, cluster,
			NoMatch},
		{"two keys", `{"StringEquals": {"a:b": "x", "a:c": "y"}}`, map[string]string{"a:b": "x"}, NoMatch},
		{"principal's ARN", `{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/myproject_deployer_*"}}`, nil,
			Allow},
		{"principal's account", `{"StringEquals": {"aws:PrincipalAccount": "333333333333"}}`, nil, Allow},
		{"source", `{"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:333333333333:rule/r"}}`,
			map[string]string{"aws:SourceArn": "arn:aws:events:us-east-1:333333333333:rule/s"}, NoMatch},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			holds(t, test.condition, with(func(r *Request) { r.Context = test.context }), test.want)
		})
	}
}

// TestSets checks a key with several values: ForAllValues, ForAnyValue, and neither.
func TestSets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, condition string
		keys            []string
		want            Decision
	}{
		{"all", `{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}`, []string{"a", "b"}, Allow},
		{"all, one another", `{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}`, []string{"a", "c"}, NoMatch},
		{"all, none", `{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}`, nil, Allow},
		{"all, none, but not null",
			`{"ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}}`, nil, NoMatch},
		{"all like", `{"ForAllValues:StringLike": {"aws:TagKeys": "deployer:*"}}`,
			[]string{"deployer:outcome", "deployer:finished"}, Allow},
		{"all like, one another", `{"ForAllValues:StringLike": {"aws:TagKeys": "deployer:*"}}`,
			[]string{"deployer:outcome", "team"}, NoMatch},
		{"all, none of", `{"ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}}`, []string{"b", "a"}, NoMatch},
		{"any", `{"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}`, []string{"b", "a"}, Allow},
		{"any, one another", `{"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}`, []string{"b", "c"}, NoMatch},
		{"any like", `{"ForAnyValue:StringLike": {"aws:TagKeys": "deployer:*"}}`, []string{"team", "deployer:tag"},
			Allow},
		{"any not", `{"ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}}`, []string{"a", "b"}, Allow},
		{"one", `{"StringEquals": {"aws:TagKeys": "a"}}`, []string{"b", "a"}, Allow},
		{"not one", `{"StringNotEquals": {"aws:TagKeys": "a"}}`, []string{"b", "a"}, NoMatch},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			holds(t, test.condition, with(func(r *Request) { r.TagKeys = test.keys }), test.want)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		doc  string
		want string
	}{
		{"comment", "{\n\"Statement\": [ // Staging account\n]}",
			`not JSON, which has no comments: invalid character '/' looking for beginning of value`},
		{"no statement", `{"Version": "2012-10-17"}`, `it has no Statement`},
		{"version", `{"Version": "2012-10-18", "Statement": []}`,
			`the Version is 2012-10-18, not 2012-10-17 or 2008-10-17`},
		{"unknown element", `{"Statements": []}`, `unknown element "Statements"`},
		{"unknown element of a statement", allow(`"Actions": "ecr:*"`),
			`statement 1: "Actions" is not a supported element`},
		{"not principal", allow(`"NotPrincipal": "*", "Action": "ecr:*"`),
			`statement 1: "NotPrincipal" is not a supported element`},
		{"no effect", `{"Statement": {"Action": "ecr:*", "Resource": "*"}}`, `statement 1: it has no Effect`},
		{"effect case", `{"Statement": {"Effect": "allow", "Action": "ecr:*"}}`,
			`statement 1: the Effect is allow, not Allow or Deny`},
		{"no action", allow(`"Resource": "*"`), `statement 1: it has neither Action nor NotAction`},
		{"action and not action", allow(`"Action": "ecr:*", "NotAction": "ecr:PutImage"`),
			`statement 1: both Action and NotAction are given`},
		{"no action but a word", allow(`"Action": "BatchGetImage"`),
			`statement 1: Action "BatchGetImage" is not a service and an action, like ecs:UpdateService`},
		{"empty list", allow(`"Action": []`), `statement 1: Action is empty`},
		{"resource by name", allow(`"Action": "ecr:*", "Resource": "myproject_backend"`),
			`statement 1: Resource "myproject_backend" is neither * nor an ARN`},
		{"variable", allow(`"Action": "ecr:*", "Resource": "arn:aws:ecr:*:${aws:PrincipalAccount}:repository/*"`),
			`statement 1: Resource has the policy variable of "arn:aws:ecr:*:${aws:PrincipalAccount}:repository/*", ` +
				`which is not supported`},
		{"second statement", `{"Statement": [{"Effect": "Allow", "Action": "ecr:*"}, {"Effect": "Deny"}]}`,
			`statement 2: it has neither Action nor NotAction`},
		{"principal wildcard", allow(`"Principal": {"AWS": "arn:aws:iam::333333333333:role/*"}, "Action": "ecr:*"`),
			`statement 1: the Principal AWS "arn:aws:iam::333333333333:role/*" has a wildcard, which is allowed ` +
				`only alone`},
		{"principal short id", allow(`"Principal": {"AWS": "12345"}, "Action": "ecr:*"`),
			`statement 1: the Principal AWS "12345" is neither *, a 12-digit account id nor the ARN of an account's ` +
				`root, a role or a user`},
		{"principal kind", allow(`"Principal": {"Aws": "*"}, "Action": "ecr:*"`),
			`statement 1: unknown kind of Principal "Aws"`},
		{"principal word", allow(`"Principal": "root", "Action": "ecr:*"`),
			`statement 1: the Principal must be "*" or an object such as {"AWS": "arn:aws:iam::111111111111:root"}`},
		{"unknown operator", allow(`"Action": "ecr:*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}`),
			`statement 1: the Condition IpAddress aws:SourceIp has an operator that is not supported`},
		{"misspelt operator", allow(`"Action": "ecr:*", "Condition": {"StringEqual": {"a:b": "c"}}`),
			`statement 1: the Condition StringEqual a:b has an operator that is not supported`},
		{"null of a word", allow(`"Action": "ecr:*", "Condition": {"Null": {"a:b": "yes"}}`),
			`statement 1: the Condition Null a:b must be true or false`},
		{"condition without keys", allow(`"Action": "ecr:*", "Condition": {"Bool": "true"}`),
			`statement 1: the Condition Bool must be an object of condition keys`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := "parsing policy: " + test.want
			if _, err := Parse([]byte(test.doc)); err == nil || err.Error() != want {
				t.Errorf("parsing %s:\ngot  %v\nwant %s", test.doc, err, want)
			}
		})
	}
}
