package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestRoleSchedulesRetries handles the event of an image that is not replicated yet with
// the template's role, and without one of the statements for it.
func TestRoleSchedulesRetries(t *testing.T) {
	t.Parallel()
	const group, role = "myproject_deployer_retry_dev", "arn:aws:iam::" + dev + ":role/myproject_deployer_retry_dev"
	all := statements(t, "dev")
	for _, tt := range []struct{ without, want string }{
		{"", ""}, {"ScheduleRetries", "scheduler:CreateSchedule"}, {"PassRetryRole", "iam:PassRole"},
	} {
		e, url := emulatortest.Start(t, emulator.Options{})
		if _, err := cloud.CentralizedDev(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		e.CreateScheduleGroup(dev, region, group)
		rest := slices.DeleteFunc(slices.Clone(all),
			func(s any) bool { return fmt.Sprint(member(s, "Sid")) == tt.without })
		p, ctx := functionWith(t, e, url, "dev", rest)
		result, err := p.RetryIn(group, role).Handle(ctx, fmt.Appendf(nil, `{"id":"e1","source":"aws.ecr",
			"detail-type":"ECR Replication Action","account":%q,"region":"us-east-1","time":%q,"detail":{
			"action-type":"REPLICATE","result":"SUCCESS","repository-name":"myproject_service_web-api",
			"image-tag":"latest"}}`, dev, time.Now().UTC().Format(time.RFC3339)))
		scheduled := len(e.Scheduled())
		if tt.want == "" && (err != nil || result.Status != "waiting" || scheduled != 1) {
			t.Errorf("%+v, %v with %d schedules", result, err, scheduled)
		}
		if tt.want != "" && (fault.NameOf(err) != "AccessDenied" || !strings.Contains(err.Error(), tt.want) ||
			scheduled != 0) {
			t.Errorf("without %s: %v with %d schedules, want a denial of %s", tt.without, err, scheduled, tt.want)
		}
	}
}

// TestRetryRoleIsNarrow evaluates what the role of the schedules may do.
func TestRetryRoleIsNarrow(t *testing.T) {
	t.Parallel()
	const (
		function = "arn:aws:lambda:us-east-1:" + prod + ":function:myproject_deployer_"
		queue    = "arn:aws:sqs:us-east-1:" + prod + ":myproject_deployer_"
	)
	all, _ := member(load(t, "prod").Resource("RetryRole"), "Properties", "Policies", 0, "PolicyDocument",
		"Statement").([]any)
	trust, _ := member(load(t, "prod").Resource("RetryRole"), "Properties", "AssumeRolePolicyDocument",
		"Statement").([]any)
	if len(trust) != 1 || fmt.Sprint(member(trust[0], "Principal")) != "map[Service:scheduler.amazonaws.com]" {
		t.Errorf("others than EventBridge Scheduler can assume it: %v", trust)
	}
	d := document(t, all)
	for _, tt := range []struct {
		action, resource string
		want             iam.Decision
	}{
		{"lambda:InvokeFunction", function + "prod", iam.Allow},
		{"lambda:InvokeFunction", function + "staging", iam.NoMatch},
		{"lambda:UpdateFunctionCode", function + "prod", iam.NoMatch},
		{"sqs:SendMessage", queue + "failed_prod", iam.Allow},
		{"sqs:SendMessage", queue + "undelivered_prod", iam.NoMatch},
		{"ecs:UpdateService", "*", iam.NoMatch},
	} {
		got := d.Evaluate(iam.Request{Principal: "arn:aws:iam::" + prod + ":role/myproject_deployer_retry_prod",
			Account: prod, Action: tt.action, Resource: tt.resource})
		if got != tt.want {
			t.Errorf("%s on %s: %v, want %v", tt.action, tt.resource, got, tt.want)
		}
	}
}
