package iam

import "testing"

// TestAnyone checks the conditions that a caller can satisfy, and those on who calls.
func TestAnyone(t *testing.T) {
	t.Parallel()
	const allow = `{"Effect":"Allow","Principal":"*","Action":"*"`
	tests := []struct {
		name, statements string
		want             Decision
	}{
		{"none", allow + `}`, Allow},
		{"a key that callers satisfy", allow + `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, Allow},
		{"a key of the resource", allow + `,"Condition":{"StringEquals":{"aws:ResourceOrgID":"o-a"}}}`, Allow},
		{"who calls", allow + `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a"}}}`, NoMatch},
		{"who calls, in other letters", allow + `,"Condition":{"StringEquals":{"AWS:principalorgid":"o-a"}}}`, NoMatch},
		{"from where", allow + `,"Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}`, NoMatch},
		{"both", allow + `,"Condition":{"Bool":{"aws:SecureTransport":"true"},` +
			`"StringEquals":{"aws:PrincipalAccount":"222222222222"}}}`, NoMatch},
		{"a denial that callers avoid", allow + `},{"Effect":"Deny","Principal":"*","Action":"*",` +
			`"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, Allow},
		{"a denial of who calls", allow + `},{"Effect":"Deny","Principal":"*","Action":"*",` +
			`"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a"}}}`, Deny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := Parse([]byte(`{"Statement":[` + tt.statements + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			got := d.Evaluate(Request{Account: "999999999999", Organization: "o-z", Action: "ecr:PutImage",
				Resource: "arn:aws:ecr:us-east-1:111111111111:repository/web", Anyone: true})
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
