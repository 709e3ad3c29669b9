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
)

// TestRoleKeepsEvents rejects an event with the template's role, and without its
// permission for the failure queue.
func TestRoleKeepsEvents(t *testing.T) {
	t.Parallel()
	all := statements(t, "prod")
	i := slices.IndexFunc(all, func(s any) bool { return fmt.Sprint(member(s, "Sid")) == "KeepFailedEvents" })
	const queue = "https://sqs.us-east-1.amazonaws.com/333333333333/myproject_deployer_failed_prod"
	for name, tt := range map[string]struct {
		statements []any
		want       string // name of the error
		kept       int
	}{
		"the role":               {all, "", 1},
		"without the permission": {slices.Delete(slices.Clone(all), i, i+1), "AccessDenied", 0},
	} {
		e, url := emulatortest.Start(t, emulator.Options{})
		p, ctx := functionWith(t, e, url, "prod", tt.statements)
		result, err := p.KeepIn(queue).Handle(ctx, fmt.Appendf(nil, `{"id":"e1","detail-type":"DEPLOY",
			"source":"action.prod","time":%q,"detail":{"service":"no-such"}}`, time.Now().UTC().Format(time.RFC3339)))
		got := ""
		if err != nil {
			got = fault.NameOf(err)
		}
		kept := e.Queue("arn:aws:sqs:us-east-1:333333333333:myproject_deployer_failed_prod")
		if got != tt.want || len(kept) != tt.kept || result.Status != "rejected" {
			t.Errorf("%s: %+v, %v with %d kept", name, result, err, len(kept))
		}
	}
}

// TestQueuePolicies evaluates who may send to the queues: what `deployer redrive` runs
// has to come from EventBridge or from the function, and from no other principal with
// events:PutEvents, or with sqs:SendMessage on any queue of the account.
func TestQueuePolicies(t *testing.T) {
	t.Parallel()
	const (
		account = "arn:aws:iam::333333333333:"
		rule    = "arn:aws:events:us-east-1:333333333333:rule/myproject_deployer_"
	)
	own := account + "role/myproject_deployer_prod"
	principal := func(arn string) iam.Request {
		return iam.Request{Principal: arn, Account: "333333333333", Context: map[string]string{"aws:PrincipalArn": arn,
			"aws:PrincipalIsAWSService": "false", "aws:SecureTransport": "true"}}
	}
	service := func(rule string) iam.Request {
		return iam.Request{Principal: "events.amazonaws.com", Context: map[string]string{"aws:SourceArn": rule,
			"aws:PrincipalIsAWSService": "true", "aws:SecureTransport": "true"}}
	}
	unsafe := principal(own)
	unsafe.Context["aws:SecureTransport"] = "false"
	retry := account + "role/myproject_deployer_retry_"
	loaded := load(t, "prod")
	for _, tt := range []struct {
		name, queue string
		request     iam.Request
		want        iam.Decision
	}{
		{"a rule", "Undelivered", service(rule + "deploy_prod"), iam.Allow},
		{"another rule", "Undelivered", service(rule + "deploy_dev"), iam.NoMatch},
		{"the function", "Undelivered", principal(own), iam.Deny},
		{"an administrator", "Undelivered", principal(account + "root"), iam.Deny},
		{"a rule", "Failed", service(rule + "deploy_prod"), iam.Deny},
		{"the function", "Failed", principal(own), iam.NoMatch},          // its own policy allows it
		{"a schedule", "Failed", principal(retry + "prod"), iam.NoMatch}, // as the function
		{"another environment's schedule", "Failed", principal(retry + "dev"), iam.Deny},
		{"the function without TLS", "Failed", unsafe, iam.Deny},
		{"another function", "Failed", principal(account + "role/myproject_deployer_staging"), iam.Deny},
		{"a user", "Failed", principal(account + "user/ada"), iam.Deny},
		{"an administrator", "Failed", principal(account + "root"), iam.Deny},
	} {
		all, _ := member(loaded.Resource(tt.queue+"QueuePolicy"), "Properties", "PolicyDocument", "Statement").([]any)
		tt.request.Action = "sqs:SendMessage"
		tt.request.Resource = "arn:aws:sqs:us-east-1:333333333333:myproject_deployer_" + strings.ToLower(tt.queue) +
			"_prod"
		if got := document(t, all).Evaluate(tt.request); got != tt.want {
			t.Errorf("%s to %s: %v, want %v", tt.name, tt.queue, got, tt.want)
		}
	}
}

// TestNoRuleFailed checks that no rule of any stack leads to the failure queue.
func TestNoRuleFailed(t *testing.T) {
	t.Parallel()
	for stack := range stacks {
		for _, rule := range load(t, stack).Rules() {
			for _, target := range rule.Targets {
				if strings.Contains(target.ARN+target.DeadLetterARN, "_failed_") {
					t.Errorf("%s of %s leads to %s, %s", rule.LogicalID, stack, target.ARN, target.DeadLetterARN)
				}
			}
		}
	}
}
