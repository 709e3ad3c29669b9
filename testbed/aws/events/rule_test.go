package events_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestRules(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	const (
		all = `{"Arn":"arn:aws:events:us-east-1:111111111111:rule/all","Description":"d","EventBusName":"default",` +
			`"EventPattern":"{\"source\":[\"s\"]}","Name":"all","State":"ENABLED"`
		target = `{"Id":"t","Arn":"` + function + `","DeadLetterConfig":{"Arn":"` + deadLetters +
			`"},"RetryPolicy":{"MaximumRetryAttempts":0}}`
		task = `{"Id":"t","Arn":"arn:aws:ecs:us-east-1:111111111111:cluster/c","RoleArn":"r",` +
			`"InputTransformer":{"InputTemplate":"<a>  <b>"},"EcsParameters":{"TaskCount":2,"TaskDefinitionArn":` +
			`"d:1","NewMember":1.0}}`
	)
	steps := []struct {
		name, call, body string
		wantStatus       int
		want             string
	}{
		{"describe another", "events:DescribeEventBus", `{"Name":"nope"}`, 400,
			`{"__type":"ResourceNotFoundException","message":"Event bus nope does not exist."}`},
		{"a rule", "events:PutRule", `{"Name":"all","EventPattern":"{\"source\":[\"s\"]}","Description":"d"}`, 200,
			`{"RuleArn":"arn:aws:events:us-east-1:111111111111:rule/all"}`},
		{"a schedule", "events:PutRule", `{"Name":"daily","ScheduleExpression":"rate(1 day)","State":"DISABLED"}`, 200,
			`{"RuleArn":"arn:aws:events:us-east-1:111111111111:rule/daily"}`},
		{"describe the schedule", "events:DescribeRule", `{"Name":"daily"}`, 200,
			`{"Arn":"arn:aws:events:us-east-1:111111111111:rule/daily","CreatedBy":"111111111111",` +
				`"EventBusName":"default","Name":"daily","ScheduleExpression":"rate(1 day)","State":"DISABLED"}`},
		{"describe the bus", "events:DescribeEventBus", `{}`, 200,
			`{"Arn":"arn:aws:events:us-east-1:111111111111:event-bus/default","CreationTime":1769074200,` +
				`"LastModifiedTime":1769074200,"Name":"default"}`},
		{"a rule for nothing", "events:PutRule", `{"Name":"x"}`, 400,
			`{"__type":"ValidationException","message":"Parameter(s) EventPattern or ScheduleExpression must be ` +
				`specified."}`},
		{"a rule of no bus", "events:PutRule", `{"Name":"x","EventPattern":"{\"source\":[\"s\"]}",` +
			`"EventBusName":"nope"}`, 400, `{"__type":"ResourceNotFoundException","message":"Event bus nope does not ` +
			`exist."}`},
		{"describe the rule", "events:DescribeRule", `{"Name":"all"}`, 200,
			all[:len(`{"Arn":"arn:aws:events:us-east-1:111111111111:rule/all",`)] + `"CreatedBy":"111111111111",` +
				all[len(`{"Arn":"arn:aws:events:us-east-1:111111111111:rule/all",`):] + `}`},
		{"describe another rule", "events:DescribeRule", `{"Name":"nope"}`, 400,
			`{"__type":"ResourceNotFoundException","message":"Rule nope does not exist on EventBus default."}`},
		{"targets", "events:PutTargets", `{"Rule":"all","Targets":[` + target + `]}`, 200,
			`{"FailedEntries":[],"FailedEntryCount":0}`},
		{"list the targets", "events:ListTargetsByRule", `{"Rule":"all"}`, 200, `{"Targets":[` + target + `]}`},
		{"a target of no rule", "events:PutTargets", `{"Rule":"nope","Targets":[]}`, 400,
			`{"__type":"ResourceNotFoundException","message":"Rule nope does not exist on EventBus default."}`},
		{"a target that is no ARN", "events:PutTargets", `{"Rule":"all","Targets":[{"Id":"x","Arn":"x"}]}`, 400,
			`{"__type":"ValidationException","message":"Parameter x is not valid. Reason: Provided Arn is not in ` +
				`correct format."}`},
		{"another account's bus without a role", "events:PutTargets", `{"Rule":"all","Targets":[{"Id":"x","Arn":"` +
			prodBus + `"}]}`, 400, `{"__type":"ValidationException","message":"RoleArn is required for target ` +
			prodBus + `."}`},
		{"an input of its own", "events:PutTargets", `{"Rule":"all","Targets":[{"Id":"x","Arn":"` + function +
			`","Input":"{}"}]}`, 400, `{"__type":"ValidationException","message":"Modifying the input for target x ` +
			`is not supported by the emulator."}`},
		{"too many targets", "events:PutTargets", `{"Rule":"all","Targets":[{"Id":"1","Arn":"` + function +
			`"},{"Id":"2","Arn":"` + function + `"},{"Id":"3","Arn":"` + function + `"},{"Id":"4","Arn":"` + function +
			`"},{"Id":"5","Arn":"` + function + `"}]}`, 400, `{"__type":"LimitExceededException","message":"The ` +
			`requested resource exceeds the maximum number allowed."}`},
		{"a task", "events:PutTargets", `{"Rule":"daily","Targets":[` + task + `]}`, 200,
			`{"FailedEntries":[],"FailedEntryCount":0}`},
		{"all members of a task", "events:ListTargetsByRule", `{"Rule":"daily"}`, 200, `{"Targets":[` + task + `]}`},
		{"a task without a definition", "events:PutTargets", `{"Rule":"daily","Targets":[{"Id":"x","Arn":` +
			`"arn:aws:ecs:us-east-1:111111111111:cluster/c","RoleArn":"r"}]}`, 400, `{"__type":"ValidationException",` +
			`"message":"Parameter EcsParameters.TaskDefinitionArn is required for target x."}`},
		{"a task without a role", "events:PutTargets", `{"Rule":"daily","Targets":[{"Id":"x","Arn":` +
			`"arn:aws:ecs:us-east-1:111111111111:cluster/c"}]}`, 400, `{"__type":"ValidationException",` +
			`"message":"RoleArn is required for target arn:aws:ecs:us-east-1:111111111111:cluster/c."}`},
		{"a bad permission", "events:PutPermission", `{"Policy":"{}"}`, 400, ``},
		{"a pattern that matches", "events:TestEventPattern",
			`{"EventPattern":"{\"source\":[\"s\"]}","Event":"{\"id\":\"1\",\"account\":\"1\",\"source\":\"s\",` +
				`\"time\":\"2026-01-22T09:30:00Z\",\"region\":\"r\",\"resources\":[],\"detail-type\":\"d\"}"}`, 200,
			`{"Result":true}`},
		{"a pattern that does not", "events:TestEventPattern",
			`{"EventPattern":"{\"source\":[\"t\"]}","Event":"{\"id\":\"1\",\"account\":\"1\",\"source\":\"s\",` +
				`\"time\":\"2026-01-22T09:30:00Z\",\"region\":\"r\",\"resources\":[],\"detail-type\":\"d\"}"}`, 200,
			`{"Result":false}`},
		{"an event without its members", "events:TestEventPattern",
			`{"EventPattern":"{\"source\":[\"t\"]}","Event":"{\"source\":\"s\"}"}`, 400,
			`{"__type":"ValidationException","message":"Parameter Event is not valid. Reason: id is a required ` +
				`argument."}`},
	}
	for _, s := range steps {
		status, got := w.Raw(t, dev, s.call, s.body)
		if status != s.wantStatus {
			t.Errorf("%s: status %d, want %d", s.name, status, s.wantStatus)
		}
		if diff := cmp.Diff(s.want, got); s.want != "" && diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

func TestInvalidEventPattern(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	for _, call := range []string{"events:PutRule", "events:TestEventPattern"} {
		status, got := w.Raw(t, dev, call, `{"Name":"x","EventPattern":"{\"source\":\"s\"}","Event":"{}"}`)
		const want = `{"__type":"InvalidEventPatternException","message":"Event pattern is not valid. Reason: `
		if status != 400 || got[:min(len(got), len(want))] != want {
			t.Errorf("%s: %d %s, want 400 %s…", call, status, got, want)
		}
	}
}

// TestPutRuleAgain: a rule that is replaced keeps its targets, and a disabled rule delivers nothing.
func TestPutRuleAgain(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Rule(t, dev, `{"detail-type":["OTHER"]}`, devQueue, "")
	for _, s := range []struct {
		call, rule string
		want       int // messages in all
	}{
		{"PutRule", `{"Name":"all","EventPattern":"{\"detail-type\":[\"DEPLOY\"]}"}`, 1},
		{"PutRule", `{"Name":"all","EventPattern":"{\"detail-type\":[\"DEPLOY\"]}","State":"DISABLED"}`, 1},
		{"PutRule", `{"Name":"all","EventPattern":"{\"source\":[\"action.production\"]}","State":"ENABLED"}`, 2},
		{"DisableRule", `{"Name":"all"}`, 2},
		{"EnableRule", `{"Name":"all","EventBusName":"default"}`, 3},
	} {
		w.Do(t, dev, "events:"+s.call, s.rule)
		w.Do(t, dev, "events:PutEvents", deployEntry)
		if got := len(w.AWS.Queue(devQueue)); got != s.want {
			t.Errorf("after %s there are %d messages, want %d", s.rule, got, s.want)
		}
	}
}

// TestPutTargetsFails checks the two ways in which the targets of an existing rule cannot be changed, and what a role
// needs for it.
func TestPutTargetsFails(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	const account, put = "111111111111", `{"Rule":"r","Targets":[{"Id":"t","Arn":` +
		`"arn:aws:ecs:us-east-1:111111111111:cluster/c","RoleArn":"arn:aws:iam::111111111111:role/x",` +
		`"EcsParameters":{"TaskDefinitionArn":"d:1"}}]}`
	w.Do(t, dev, "events:PutRule", `{"Name":"r","ScheduleExpression":"rate(1 day)"}`)
	steps := []struct {
		name   string
		change func()
		want   string
	}{
		{"failed", func() { w.AWS.FailTarget(account, "us-east-1", "r", "t", "ConcurrentModificationException") },
			`{"FailedEntries":[{"ErrorCode":"ConcurrentModificationException","ErrorMessage":"It failed.",` +
				`"TargetId":"t"}],"FailedEntryCount":1}`},
		{"no more", func() { w.AWS.FailTarget(account, "us-east-1", "r", "t", "") },
			`{"FailedEntries":[],"FailedEntryCount":0}`},
		{"managed", func() { w.AWS.ManageRule(account, "us-east-1", "r", "autoscaling.amazonaws.com") },
			`{"__type":"ManagedRuleException","message":"Rule r is managed by autoscaling.amazonaws.com."}`},
	}
	for _, s := range steps {
		s.change()
		if _, got := w.Raw(t, dev, "events:PutTargets", put); got != s.want {
			t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
	}
	if _, got := w.Raw(t, dev, "events:DisableRule", `{"Name":"r"}`); got != steps[2].want {
		t.Errorf("disabled: %s, want %s", got, steps[2].want)
	}
}
