package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/notify"
	"deployer/testbed/aws/cloudformation"
)

// TestDashboard holds that the dashboard is JSON, and shows no metric of the
// deployer's that there is none of.
func TestDashboard(t *testing.T) {
	t.Parallel()
	body, _ := member(load(t, "prod").Resource("Dashboard"), "Properties", "DashboardBody").(string)
	var dashboard struct {
		Widgets []struct{ Properties struct{ Metrics [][]any } }
	}
	if err := json.Unmarshal([]byte(body), &dashboard); err != nil || len(dashboard.Widgets) != 5 {
		t.Fatalf("%v: %s", err, body)
	}
	documented, err := os.ReadFile("../docs/reference/metrics-and-alarms.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, w := range dashboard.Widgets {
		for _, m := range w.Properties.Metrics {
			if m[0] != notify.Namespace {
				continue
			}
			if shown++; !strings.Contains(string(documented), fmt.Sprintf("| `%s` |", m[1])) {
				t.Errorf("there is no metric %v", m[1])
			}
		}
	}
	if shown < 6 {
		t.Errorf("it shows %d metrics of the deployer's: %s", shown, body)
	}
}

// TestWebhookRights holds that the function may read just the parameter that the
// webhook is in, and the secret if SSM reads one by that name.
func TestWebhookRights(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const account = "arn:aws:%s:us-east-1:333333333333:"
	for parameter, want := range map[string]map[string]string{
		"":                 {},
		"/myproject/slack": {"ReadWebhook": fmt.Sprintf(account, "ssm") + "parameter/myproject/slack"},
		"/aws/reference/secretsmanager/myproject/slack": {"ReadWebhook": fmt.Sprintf(account, "ssm") + "parameter/aws/reference/secretsmanager/myproject/slack",
			"ReadWebhookSecret": fmt.Sprintf(account, "secretsmanager") + "secret:myproject/slack-??????"},
	} {
		loaded, err := cloudformation.Load(source, cloudformation.Parameters{Account: prod, Region: region, Stack: "s", Values: map[string]string{"Project": "p", "Env": "prod", "SlackParameter": parameter}})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, s := range member(loaded.Resource("DeployerRole"), "Properties", "Policies", 0, "PolicyDocument", "Statement").([]any) {
			if sid := fmt.Sprint(member(s, "Sid")); strings.HasPrefix(sid, "ReadWebhook") {
				got[sid] = fmt.Sprint(member(s, "Resource"))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", parameter, diff)
		}
	}
}
