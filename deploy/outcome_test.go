package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/notify"
)

// TestDashboard checks that the dashboard is JSON, and that every metric of the
// deployer that it shows is documented.
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
				t.Errorf("metric %v is not documented", m[1])
			}
		}
	}
	if shown < 6 {
		t.Errorf("it shows %d metrics of the deployer, want at least 6: %s", shown, body)
	}
}

// TestWebhookPermissions checks that the function may read only the parameter with the
// webhook, and the secret if the parameter's name refers to one in Secrets Manager.
func TestWebhookPermissions(t *testing.T) {
	t.Parallel()
	const (
		ssm            = "arn:aws:ssm:us-east-1:333333333333:parameter/"
		secretsManager = "arn:aws:secretsmanager:us-east-1:333333333333:secret:"
	)
	for parameter, want := range map[string]map[string]string{
		"":                 {},
		"/myproject/slack": {"ReadWebhook": ssm + "myproject/slack"},
		"/aws/reference/secretsmanager/myproject/slack": {
			"ReadWebhook":       ssm + "aws/reference/secretsmanager/myproject/slack",
			"ReadWebhookSecret": secretsManager + "myproject/slack-??????",
		},
	} {
		values := map[string]string{"Project": "p", "Env": "prod", "SlackParameter": parameter}
		loaded, err := loadWith(t, prod, values)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, s := range roleStatements(loaded) {
			if sid := fmt.Sprint(member(s, "Sid")); strings.HasPrefix(sid, "ReadWebhook") {
				got[sid] = fmt.Sprint(member(s, "Resource"))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", parameter, diff)
		}
	}
}
