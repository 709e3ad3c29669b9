package pointer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/signed"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	account  = "222222222222"
	definedA = "arn:aws:ecs:us-east-1:222222222222:task-definition/"
	first    = definedA + "report:1"
	second   = definedA + "report:2"
	cluster  = "arn:aws:ecs:us-east-1:222222222222:cluster/c"
)

var owner = Owner{Task: "nightly", File: "dev.yaml", Cluster: "c", Region: "us-east-1", Account: account,
	Family: "report"}

// world is emulated AWS with a schedule group, and a client of it.
func world(t *testing.T) (*emulator.Emulator, *accounts.Account, *Client) {
	t.Helper()
	clock := emulator.NewClock(emulatortest.StartTime)
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
	e.CreateScheduleGroup(account, "us-east-1", "jobs")
	a := accounts.Connect(url, account, "us-east-1")
	c := New(a.Config)
	c.now = clock.Now
	return e, a, c
}

// file returns a file of testdata as compact JSON.
func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// schedule returns the body of a schedule with an expression and a task definition.
func schedule(expression, definition string) string {
	return fmt.Sprintf(`{"FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"jobs","ScheduleExpression":%q,"Target":{`+
		`"Arn":%q,"RoleArn":"arn:aws:iam::222222222222:role/r","EcsParameters":{"TaskDefinitionArn":%q}}}`, expression,
		cluster, definition)
}

// target returns a target of a rule.
func targetOf(id, in, definition string) string {
	return fmt.Sprintf(`{"Id":%q,"Arn":%q,"RoleArn":"arn:aws:iam::222222222222:role/r","EcsParameters":{`+
		`"TaskDefinitionArn":%q}}`, id, in, definition)
}

// TestMoveSchedule moves a schedule that has every member of the API's model, and members
// that come later: only its revision changes, byte for byte.
func TestMoveSchedule(t *testing.T) {
	t.Parallel()
	_, a, c := world(t)
	body := file(t, "schedule.json")
	if err := a.Schedule(t.Context(), "nightly", body); err != nil {
		t.Fatal(err)
	}
	before, err := a.ReadSchedule(t.Context(), "jobs", "nightly")
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.Read(t.Context(), owner, "schedule/jobs/nightly")
	if err != nil {
		t.Fatal(err)
	}
	p := read[0]
	got := []any{len(read), p.String(), p.TaskDefinition, p.Floating(), p.Revision(), p.Family(), p.Role, p.Disabled,
		p.Expression, p.Timezone, p.Window.Minutes(), p.Input}
	want := []any{1, "schedule/jobs/nightly", first, false, 1, "report", "arn:aws:iam::222222222222:role/starts", true,
		"cron(0 3 * * ? *)", "Europe/Zurich", 5.0, "a <Input> é"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := c.Move(t.Context(), owner, p, second); err != nil {
		t.Fatal(err)
	}
	after, err := a.ReadSchedule(t.Context(), "jobs", "nightly")
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(string(before), first, second, 1)
	if diff := cmp.Diff(moved, string(after)); diff != "" {
		t.Error(diff)
	}
	var sent, was map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal([]byte(body), &sent), json.Unmarshal(after, &was)); err != nil {
		t.Fatal(err)
	}
	for name, value := range sent { // the emulator keeps what it was sent
		if name != "Target" && string(value) != string(was[name]) {
			t.Errorf("%s: %s, was created as %s", name, was[name], value)
		}
	}
}

// TestMoveTarget moves a target of a rule that has every member of the API's model. The
// rule's other targets are kept.
func TestMoveTarget(t *testing.T) {
	t.Parallel()
	_, a, c := world(t)
	other := targetOf("other", cluster, definedA+"other:7")
	if err := a.Rule(t.Context(), "uploads", other, file(t, "target.json")); err != nil {
		t.Fatal(err)
	}
	read, err := c.Read(t.Context(), owner, "rule/uploads")
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != 1 || read[0].String() != "rule/uploads/task" || read[0].Revision() != 1 {
		t.Fatalf("read %+v", read)
	}
	if err := c.Move(t.Context(), owner, read[0], second); err != nil {
		t.Fatal(err)
	}
	after, err := a.ReadTargets(t.Context(), "uploads")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{other, strings.Replace(file(t, "target.json"), first, second, 1)}
	if diff := cmp.Diff(want, []string{string(after[0]), string(after[1])}); diff != "" {
		t.Error(diff)
	}
}

// TestTargetHasEveryMember checks that testdata has every member that the SDK knows.
func TestTargetHasEveryMember(t *testing.T) {
	t.Parallel()
	var target, task map[string]json.RawMessage
	err := json.Unmarshal([]byte(file(t, "target.json")), &target)
	if err = errors.Join(err, json.Unmarshal(target["EcsParameters"], &task)); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		of  reflect.Type
		has map[string]json.RawMessage
	}{{reflect.TypeFor[types.Target](), target}, {reflect.TypeFor[types.EcsParameters](), task}} {
		for i := range one.of.NumField() {
			if f := one.of.Field(i); f.IsExported() && one.has[f.Name] == nil {
				t.Errorf("%s.%s is missing", one.of.Name(), f.Name)
			}
		}
	}
}

// TestMoveFails checks what is done about AWS's refusals.
func TestMoveFails(t *testing.T) {
	t.Parallel()
	past := `"StartDate":1769074000,`
	const movingOver = `moving schedule "s" in group "jobs", which starts task "nightly": `
	const movingS = `moving schedule "s" in group "jobs", which starts task "nightly", to "` + second + `": `
	startDate := &emulator.Error{Status: 400, Code: "ValidationException",
		Message: "The StartDate you specify cannot be earlier than 5 minutes ago."}
	conflict := &emulator.Error{Status: 409, Code: "ConflictException", Message: "Updating."}
	for _, tt := range []struct {
		name, pointer, body string
		change              func(*emulator.Emulator)
		want                string // the fault's name, "" if it is moved
		conflict            bool
		calls               int
		text                string // of the error; "" for any
	}{
		{"the start of a cron", "schedule/jobs/s", "{" + past + schedule("cron(0 3 * * ? *)", first)[1:],
			func(e *emulator.Emulator) {
				e.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Times: 1, Error: startDate})
			}, "", false, 2, ""},
		{"the start of a rate", "schedule/jobs/s", "{" + past + schedule("rate(1 hour)", first)[1:],
			func(e *emulator.Emulator) {
				e.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Error: startDate})
			}, "PointerUnusable", false, 1, movingS + `ValidationException: The StartDate you specify cannot be ` +
				`earlier than 5 minutes ago. (AWS does not take back the StartDate of the schedule, from which ` +
				`rate(1 hour) counts: give it a later one, or write a cron(…))`},
		{"the start of a cron, in another spelling", "schedule/jobs/s", "{" + past + schedule("cron(0 3 * * ? *)",
			first)[1:], func(e *emulator.Emulator) {
			e.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Times: 1, Error: &emulator.Error{Status: 400,
				Code: "ValidationException", Message: "startDate must not be in the past"}})
		}, "", false, 2, ""},
		{"another member of a cron that began", "schedule/jobs/s", "{" + past + schedule("cron(0 3 * * ? *)",
			first)[1:],
			func(e *emulator.Emulator) {
				e.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Error: &emulator.Error{Status: 400,
					Code: "ValidationException", Message: "RoleArn is not valid."}})
			}, "Validation", false, 1, movingS + `ValidationException: RoleArn is not valid. (only the revision was ` +
				`changed: correct what AWS names, with the infrastructure; to see what it holds: aws scheduler ` +
				`get-schedule --group-name jobs --name s --region us-east-1)`},
		{"a target of which a member is no more valid", "rule/r", "", func(e *emulator.Emulator) {
			e.FailTarget(account, "us-east-1", "r", "t", "ValidationException")
		}, "Validation", false, 1, `moving target "t" of rule "r", which starts task "nightly", to "` + second +
			`": ValidationException: It failed. (only the revision was changed: correct what AWS names, with the ` +
			`infrastructure; to see what it holds: aws events list-targets-by-rule --rule r --region us-east-1)`},
		{"a one-time schedule that is over", "schedule/jobs/s", schedule("at(2026-01-22T09:30:00)", first),
			func(*emulator.Emulator) {}, "PointerUnusable", false, 0, movingOver + `it is a one-time schedule, and ` +
				`at(2026-01-22T09:30:00) is over: AWS may run it again when it is changed (delete the schedule, or ` +
				`give it a time to come)`},
		{"conflict", "schedule/jobs/s", schedule("rate(1 hour)", first), func(e *emulator.Emulator) {
			e.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Error: conflict})
		}, "Conflict", true, 1, ""},
		{"throttled", "schedule/jobs/s", schedule("rate(1 hour)", first), func(e *emulator.Emulator) {
			e.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Times: 1, Error: emulator.ErrThrottled})
		}, "", false, 2, ""},
		{"denied", "rule/r", "", func(e *emulator.Emulator) {
			e.Inject(emulator.Fault{Operation: "events:PutTargets", Error: emulator.AccessDenied("no")})
		}, "AccessDenied", false, 1, ""},
		{"managed", "rule/r", "", func(e *emulator.Emulator) {
			e.ManageRule(account, "us-east-1", "r", "autoscaling.amazonaws.com")
		}, "ManagedRule", false, 1, `moving target "t" of rule "r", which starts task "nightly", to "` + second +
			`": ManagedRuleException: Rule r is managed by autoscaling.amazonaws.com. (an AWS service made the ` +
			`rule, and only that service changes it: start the task by a rule of your own)`},
		{"failed with HTTP 200", "rule/r", "", func(e *emulator.Emulator) {
			e.FailTarget(account, "us-east-1", "r", "t", "ResourceNotFoundException")
		}, "ResourceNotFound", false, 1, ""},
		{"changed at the same time, with HTTP 200", "rule/r", "", func(e *emulator.Emulator) {
			e.FailTarget(account, "us-east-1", "r", "t", "ConcurrentModificationException")
		}, "ConcurrentModification", true, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, a, c := world(t)
			if tt.body != "" {
				allowed := strings.Replace(tt.body, "1769074000", "1769074200", 1) // CreateSchedule takes no old one
				if err := a.Schedule(t.Context(), "s", allowed); err != nil {
					t.Fatal(err)
				}
				if _, err := a.Send(t.Context(), "PUT", "scheduler", "schedules/s", "", tt.body); err != nil {
					t.Fatal(err)
				}
			} else if err := a.Rule(t.Context(), "r", targetOf("t", cluster, first)); err != nil {
				t.Fatal(err)
			}
			read, err := c.Read(t.Context(), owner, environment.TaskPointers(tt.pointer))
			if err != nil {
				t.Fatal(err)
			}
			tt.change(e)
			e.ResetCalls()
			err = c.Move(t.Context(), owner, read[0], second)
			name := ""
			if err != nil {
				name = fault.NameOf(err)
			}
			if tt.text != "" {
				if diff := cmp.Diff(tt.text, fmt.Sprint(err)); diff != "" {
					t.Error(diff)
				}
			}
			if name != tt.want || signed.Conflict(err) != tt.conflict || len(e.Calls()) != tt.calls {
				t.Errorf("%q after %d calls, want %q after %d: %v", name, len(e.Calls()), tt.want, tt.calls, err)
			}
			again, err := c.Read(t.Context(), owner, environment.TaskPointers(tt.pointer))
			if err != nil || (again[0].Revision() == 2) != (tt.want == "") {
				t.Errorf("it holds %+v, %v", again, err)
			}
		})
	}
}
