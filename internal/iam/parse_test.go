package iam

import (
	"testing"
)

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
