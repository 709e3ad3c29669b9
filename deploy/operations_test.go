package deploy_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestOperationsNumbers checks the numbers and names of docs/operations.md and of the page of metrics and alarms
// against the template that they describe.
func TestOperationsNumbers(t *testing.T) {
	t.Parallel()
	loaded, err := loadWith(t, dev, stacks["dev"].values)
	if err != nil {
		t.Fatal(err)
	}
	at := func(resource string, path ...any) string {
		return fmt.Sprint(member(loaded.Resource(resource), append([]any{"Properties"}, path...)...))
	}
	operations, metrics := page(t, "operations.md"), page(t, "reference/metrics-and-alarms.md")
	plain := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	for _, tt := range []struct{ page, says, value, want string }{
		{operations, "Lambda tries twice more, after one and after three minutes.",
			at("DeployerFunction", "EventInvokeConfig", "MaximumRetryAttempts"), "2"},
		{operations, "Events wait for up to an hour.",
			at("DeployerFunction", "EventInvokeConfig", "MaximumEventAgeInSeconds"), "3600"},
		{operations, "Messages are kept for 14 days.", at("UndeliveredQueue", "MessageRetentionPeriod"), "1209600"},
		{operations, "no search for lost pushes ran for an hour or more", at("ReconcileAlarm", "Period"), "3600"},
		{metrics, "no search for lost pushes ran for an hour or more (two hours if `ReconcileMinutes` is 60)",
			at("ReconcileAlarm", "EvaluationPeriods"), "1"},
		{metrics, "It notifies when it changes from `OK` to `INSUFFICIENT_DATA`", at("ReconcileAlarm",
			"TreatMissingData"), "missing"},
		{operations, "The alarm stays until the queue is empty.", at("UndeliveredAlarm", "MetricName"),
			"ApproximateNumberOfMessagesVisible"},
		{operations, "`aws events enable-rule --region us-east-1 --name myproject_deployer_reconcile_dev`",
			at("ReconcileRule", "Name"), "myproject_deployer_reconcile_dev"},
	} {
		if !strings.Contains(plain(tt.page), tt.says) {
			t.Errorf("the page does not say %q any more: compare what it says with the template", tt.says)
		}
		if tt.value != tt.want {
			t.Errorf("%q: the template has %s, want %s", tt.says, tt.value, tt.want)
		}
	}
	hourly := map[string]string{"ReconcileMinutes": "60"}
	for key, value := range stacks["dev"].values {
		if hourly[key] == "" {
			hourly[key] = value
		}
	}
	if loaded, err = loadWith(t, dev, hourly); err != nil || at("ReconcileAlarm", "EvaluationPeriods") != "2" {
		t.Errorf("with a search an hour, the alarm waits for %s periods, %v",
			at("ReconcileAlarm", "EvaluationPeriods"), err)
	}
	if prod := load(t, "prod"); prod.Resource("ReconcileAlarm") != nil {
		t.Error("there is an alarm where no push deploys")
	}
	for _, id := range loaded.Resources("AWS::CloudWatch::Alarm") {
		name := strings.NewReplacer("myproject", "PROJECT", "_dev", "_ENV").Replace(at(id, "AlarmName"))
		if !strings.Contains(metrics, "\n| `"+name+"` | ") {
			t.Errorf("the page of metrics and alarms has no row for %s", name)
		}
		if description := at(id, "AlarmDescription"); len(description) < 40 { // the page says that it is
			t.Errorf("%s is described as %q", name, description)
		}
	}
}
