package deploy_test

import (
	"fmt"
	"testing"
)

// member returns a part of a resolved resource. An element of path is the key of a
// mapping or the index of a list.
func member(v any, path ...any) any {
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

// TestProperties checks properties that nothing else in the tests depends on.
func TestProperties(t *testing.T) {
	t.Parallel()
	loaded := load(t, "prod")
	const (
		queue = "arn:aws:sqs:us-east-1:333333333333:myproject_deployer_"
		rule  = "arn:aws:events:us-east-1:333333333333:rule/myproject_deployer_"
	)
	statement := func(path ...any) []any { return append([]any{"Properties", "PolicyDocument", "Statement"}, path...) }
	for _, tt := range []struct {
		resource string
		path     []any
		want     string
	}{
		{"DeployerFunction", []any{"Metadata", "BuildMethod"}, "makefile"},
		{"DeployerFunction", []any{"Properties", "Runtime"}, "provided.al2023"},
		{"DeployerFunction", []any{"Properties", "Architectures", 0}, "arm64"},
		{"DeployerFunction", []any{"Properties", "Handler"}, "bootstrap"},
		{"DeployerFunction", []any{"Properties", "Tracing"}, "Active"},
		{"DeployerFunction", []any{"Properties", "LoggingConfig", "LogFormat"}, "JSON"},
		{"DeployerFunction", []any{"Properties", "LoggingConfig", "LogGroup"}, "/aws/lambda/myproject_deployer_prod"},
		{"DeployerFunction", []any{"Properties", "Environment", "Variables", "DEPLOYER_ENVIRONMENT_FILE"},
			"environment.yaml"},
		{"DeployerFunction", []any{"Properties", "Environment", "Variables", "DEPLOYER_PROJECT"}, "myproject"},
		{"DeployerFunction", []any{"Properties", "Environment", "Variables", "DEPLOYER_ENV"}, "prod"},
		{"DeployerFunction", []any{"Properties", "Environment", "Variables", "DEPLOYER_FAILED_QUEUE"},
			"https://sqs.us-east-1.amazonaws.com/333333333333/myproject_deployer_failed_prod"},
		{"DeployerFunction", []any{"Properties", "EventInvokeConfig", "MaximumRetryAttempts"}, "2"},
		{"DeployerFunction", []any{"Properties", "EventInvokeConfig", "DestinationConfig", "OnFailure", "Destination"},
			queue + "failed_prod"},
		{"LogGroup", []any{"Properties", "RetentionInDays"}, "90"},
		{"UndeliveredQueue", []any{"Properties", "MessageRetentionPeriod"}, "1209600"}, // 14 days
		{"UndeliveredQueue", []any{"Properties", "SqsManagedSseEnabled"}, "true"},
		{"DeployerFunction", []any{"Properties", "Environment", "Variables", "DEPLOYER_RETRY_GROUP"},
			"myproject_deployer_retry_prod"},
		{"DeployerFunction", []any{"Properties", "Environment", "Variables", "DEPLOYER_RETRY_ROLE"},
			"arn:aws:iam::333333333333:role/myproject_deployer_retry_prod"},
		{"RetryRole", []any{"Properties", "AssumeRolePolicyDocument", "Statement", 0},
			"map[Action:sts:AssumeRole Condition:map[ArnEquals:map[aws:SourceArn:arn:aws:scheduler:us-east-1:" +
				"333333333333:schedule-group/myproject_deployer_retry_prod] StringEquals:map[aws:SourceAccount:" +
				"333333333333]] " +
				"Effect:Allow Principal:map[Service:scheduler.amazonaws.com]]"},
		{"FailedQueue", []any{"Properties", "MessageRetentionPeriod"}, "1209600"},
		{"FailedQueue", []any{"Properties", "SqsManagedSseEnabled"}, "true"},
		{"UndeliveredQueuePolicy", statement(0, "Principal", "Service"), "events.amazonaws.com"},
		{"UndeliveredQueuePolicy", statement(0, "Condition", "ArnEquals", "aws:SourceArn", 0), rule + "deploy_prod"},
		{"UndeliveredQueuePolicy", statement(2, "Condition", "Bool", "aws:SecureTransport"), "false"},
		{"FailedQueuePolicy", statement(1, "Condition", "Bool", "aws:SecureTransport"), "false"},
		{"ErrorsAlarm", []any{"Properties", "MetricName"}, "Errors"},
		{"ThrottlesAlarm", []any{"Properties", "MetricName"}, "Throttles"},
		{"UndeliveredAlarm", []any{"Properties", "MetricName"}, "ApproximateNumberOfMessagesVisible"},
		{"FailedAlarm", []any{"Properties", "MetricName"}, "ApproximateNumberOfMessagesVisible"},
		{"RolloutsAlarm", []any{"Properties", "MetricName"}, "Deployments"},
		{"RejectedAlarm", []any{"Properties", "MetricName"}, "Rejected"},
	} {
		if got := fmt.Sprint(member(loaded.Resource(tt.resource), tt.path...)); got != tt.want {
			t.Errorf("%s %v is %s, want %s", tt.resource, tt.path, got, tt.want)
		}
	}
}

// TestReconcileSchedule checks that an environment in which pushes deploy has a
// schedule, and that ReconcileMinutes=0 turns it off.
func TestReconcileSchedule(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ env, minutes, want string }{
		{"dev", "", "rate(15 minutes)"}, {"dev", "30", "rate(30 minutes)"}, {"dev", "0", ""}, {"prod", "", ""},
	} {
		values := map[string]string{"Project": "p", "Env": tt.env}
		if tt.minutes != "" {
			values["ReconcileMinutes"] = tt.minutes
		}
		loaded, err := loadWith(t, dev, values)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, rule := range loaded.Rules() {
			got += rule.Schedule
		}
		if got != tt.want {
			t.Errorf("%s with %q: schedule %q, want %q", tt.env, tt.minutes, got, tt.want)
		}
		// An alarm begins in INSUFFICIENT_DATA, which notifies only as a change.
		alarm := loaded.Resource("ReconcileAlarm")
		missing := member(alarm, "Properties", "TreatMissingData")
		if (alarm != nil) != (tt.want != "") || alarm != nil && missing != "missing" {
			t.Errorf("%s with %q: alarm %v", tt.env, tt.minutes, alarm)
		}
	}
}

// TestInvalidParameters checks the parameters that CloudFormation rejects before it
// creates anything.
func TestInvalidParameters(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]map[string]string{
		"registry without region": {"Project": "p", "Env": "prod", "EcrAccountId": dev},
		"account id of 11 digits": {"Project": "p", "Env": "prod",
			"EcrAccountId": "11111111111", "EcrAccountRegion": region},
		"Project is missing":        {"Env": "prod"},
		"unknown parameter":         {"Project": "p", "Env": "prod", "Strategy": "local"},
		"AutoDeploy is a tag":       {"Project": "p", "Env": "prod", "AutoDeploy": "latest"},
		"ForwardPushesTo is no bus": {"Project": "p", "Env": "dev", "ForwardPushesTo": "222222222222"},
	} {
		if _, err := loadWith(t, prod, values); err == nil {
			t.Errorf("%s: it is accepted", name)
		}
	}
}
