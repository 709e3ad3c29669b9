package api_test

import (
	"testing"

	"deployer/testbed/aws/api"
)

func TestParseResourcePolicy(t *testing.T) {
	t.Parallel()
	const principal, action = `"Principal":"*"`, `"Effect":"Allow","Action":"ecr:*"`
	tests := []struct{ name, statement, want string }{
		{"a list", `[{` + action + `,` + principal + `}]`, ""},
		{"one statement", `{` + action + `,` + principal + `}`, ""},
		{"without a principal", `[{` + action + `}]`, "a statement has no principal"},
		{"one of two without a principal", `[{` + action + `,` + principal + `},{` + action + `}]`,
			"a statement has no principal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := api.ParseResourcePolicy([]byte(`{"Version":"2012-10-17","Statement":` + tt.statement + `}`))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("error %q, want %q", got, tt.want)
			}
		})
	}
}
