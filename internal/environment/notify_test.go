package environment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNotify checks where outcomes are sent, and that a webhook in the file is
// accepted with a warning that does not contain it.
func TestNotify(t *testing.T) {
	t.Parallel()
	const planted = "https://hooks.example/services/planted"
	for _, tt := range []struct {
		name, in, warnings string
		want               Notify
	}{
		{"no channel", head, "", Notify{}},
		{"all", head +
			"deployer: {notify: {slack: /myproject/slack, topic: 'arn:aws:sns:us-east-1:333333333333:deployments'}}\n",
			"",
			Notify{Slack: "/myproject/slack", Topic: "arn:aws:sns:us-east-1:333333333333:deployments"}},
		{"a secret", head + "deployer: {notify: {slack: /aws/reference/secretsmanager/myproject/slack}}\n", "",
			Notify{Slack: "/aws/reference/secretsmanager/myproject/slack"}},
		{"in the file", head + "workload: {slack_webhook: '" + planted + "'}\n",
			"x.yaml:5:27: warning: `workload.slack_webhook` is a secret in a file (store it in an SSM parameter, " +
				"name that in deployer.notify.slack, and create a new webhook)", Notify{SlackWebhook: planted}},
		{"empty in the file", head + "workload: {slack_webhook: ''}\n", "", Notify{}},
		{"both", head + "workload: {slack_webhook: '" + planted + "'}\ndeployer: {notify: {slack: /s}}\n",
			"x.yaml:5:27: warning: `workload.slack_webhook` is a secret in a file (store it in an SSM parameter, " +
				"name that in deployer.notify.slack, and create a new webhook)", Notify{Slack: "/s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Parse("x.yaml", []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, e.Notify); diff != "" || e.Warnings.Error() != tt.warnings {
				t.Errorf("%s\nwarnings %q, want %q", diff, e.Warnings.Error(), tt.warnings)
			}
		})
	}
}
