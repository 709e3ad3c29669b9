package deploy_test

import (
	"slices"
	"testing"

	"deployer/testbed/terraform"
)

// parts are the arguments of resources that are parts of others.
var parts = map[string][]string{
	"aws_iam_role_policy_attachment": {"role", "policy_arn"},
	"aws_iam_role_policy":            {"name", "role", "policy"},
	"aws_cloudwatch_event_target": {"rule", "target_id", "arn", "role_arn", "dead_letter_config",
		"retry_policy"},
	"aws_cloudformation_stack": {"name", "template_body", "tags"},
}

// checkPart checks that every argument of a part is compared.
func checkPart(t *testing.T, r terraform.Resource) {
	t.Helper()
	known, ok := parts[r.Type]
	for _, argument := range r.Arguments {
		if ok && !slices.Contains(known, argument) {
			t.Errorf("%s.%s: compare the argument %s", r.Type, r.Name, argument)
		}
	}
}

// target returns a target with CloudFormation's names.
func target(r terraform.Resource) map[string]any {
	return map[string]any{"Id": r.Values["target_id"], "Arn": r.Values["arn"], "RoleArn": r.Values["role_arn"],
		"DeadLetterConfig": map[string]any{"Arn": member(r.Values, "dead_letter_config", 0, "arn")},
		"RetryPolicy": map[string]any{
			"MaximumEventAgeInSeconds": member(r.Values, "retry_policy", 0, "maximum_event_age_in_seconds"),
			"MaximumRetryAttempts":     member(r.Values, "retry_policy", 0, "maximum_retry_attempts")}}
}
