package sts_test

import (
	"encoding/xml"
	"testing"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/sts"
)

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		caller api.Caller
		want   string // of GetCallerIdentityResult
	}{
		{"an administrator", api.Caller{Account: "111111111111", Region: "us-east-1"},
			`<Arn>arn:aws:iam::111111111111:root</Arn><UserId>111111111111</UserId><Account>111111111111</Account>`},
		{"a role in China", api.Caller{Account: "111111111111", Role: "Deployer", Region: "cn-north-1"},
			`<Arn>arn:aws-cn:sts::111111111111:assumed-role/Deployer/session</Arn>` +
				`<UserId>` + api.RoleID("111111111111", "Deployer") +
				`:session</UserId><Account>111111111111</Account>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer, apiErr := sts.Operations()["sts:GetCallerIdentity"](&api.Request{Caller: tt.caller})
			if apiErr != nil {
				t.Fatal(apiErr)
			}
			got, err := xml.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			want := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">` +
				`<GetCallerIdentityResult>` + tt.want + `</GetCallerIdentityResult></GetCallerIdentityResponse>`
			if string(got) != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
