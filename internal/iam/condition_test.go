package iam

import (
	"testing"
)

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
		{"null, present", `{"Null": {"a:b": "true"}}`, map[string]string{"a:b": "x"}, NoMatch},
		{"null, empty", `{"Null": {"a:b": "true"}}`, map[string]string{"a:b": ""}, Allow},
		{"not null, empty", `{"Null": {"a:b": "false"}}`, map[string]string{"a:b": ""}, NoMatch},
		{"not null, missing", `{"Null": {"a:b": "false"}}`, nil, NoMatch},
		{"all values, empty", `{"ForAllValues:StringEquals": {"a:b": "x"}}`, map[string]string{"a:b": ""}, Allow},
		{"all values, empty, but not null", `{"ForAllValues:StringEquals": {"a:b": "x"}, "Null": {"a:b": "false"}}`,
			map[string]string{"a:b": ""}, NoMatch},
		{"all values of two keys, one missing", `{"ForAllValues:StringEquals": {"a:b": "x", "a:c": "y"},
			"Null": {"a:b": "false", "a:c": "false"}}`, map[string]string{"a:b": "x"}, NoMatch},
		{"all values of two keys", `{"ForAllValues:StringEquals": {"a:b": "x", "a:c": ["y", "z"]},
			"Null": {"a:b": "false", "a:c": "false"}}`, map[string]string{"a:b": "x", "a:c": "z"}, Allow},
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
