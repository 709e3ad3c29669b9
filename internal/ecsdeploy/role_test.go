package ecsdeploy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// starter is the role that starts the task in these tests, and executes its execution role.
const (
	starter  = "arn:aws:iam::111111111111:role/p_scheduler_report_role_dev"
	executes = "arn:aws:iam::111111111111:role/report_task_execution"
)

// statements returns a policy of statements with an action, a resource and, if it is not
// empty, a condition.
func statements(t *testing.T, all ...[3]string) *iam.Document {
	t.Helper()
	var texts []string
	for _, s := range all {
		text := fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q`, s[0], s[1])
		if s[2] != "" {
			text += `,"Condition":` + s[2]
		}
		texts = append(texts, text+"}")
	}
	return emulatortest.Policy(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(texts, ",")+`]}`)
}

// startedBy makes the schedule of taskWorld start the task by a role, with further members
// of its EcsParameters and of its target.
func (w *world) startedBy(t *testing.T, definition, parameters, target string) {
	t.Helper()
	_, err := w.Send(t.Context(), http.MethodPut, "scheduler", "schedules/nightly", "", fmt.Sprintf(
		`{"FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"jobs","ScheduleExpression":"cron(0 3 * * ? *)","Target":{`+
			`"Arn":"arn:aws:ecs:us-east-1:111111111111:cluster/c","RoleArn":%q,"EcsParameters":{"TaskDefinitionArn":`+
			`%q,"LaunchType":"FARGATE"%s}%s}}`, starter, definition, parameters, target))
	must(t, err)
}

// TestRole checks what the role of a pointer has to be allowed before its first move.
func TestRole(t *testing.T) {
	t.Parallel()
	const (
		family = arn + "report:*"
		passed = `{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}`
		ends   = "the next run uses revision 2, due at 2026-01-23T03:00:00Z"
		in     = `deploying task "report": the policies of ` + starter + ", which starts it by schedule/jobs/nightly, "
		add    = " (in account 111111111111, add to the policy of " + starter + ": "
	)
	run, pass := [3]string{"ecs:RunTask", family, ""}, [3]string{"iam:PassRole", executes, passed}
	mayRun := `{"Effect":"Allow","Action":["ecs:RunTask"],"Resource":"` + family + `"}`
	mayPass := func(role string) string {
		return `{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"` + role + `"}`
	}
	denied, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*",` +
		`"Resource":"*"},{"Effect":"Deny","Action":"ecs:RunTask","Resource":"*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, parameters, target string
		policy                   *iam.Document // nil: the role does not exist
		want                     string        // the reason, or the error
	}{
		{"all", "", "", statements(t, run, pass), ends},
		{"in the cluster", "", "", statements(t, [3]string{"ecs:RunTask", family,
			`{"ArnEquals":{"ecs:cluster":"arn:aws:ecs:us-east-1:111111111111:cluster/c"}}`}, pass), ends},
		{"the revision that it holds", "", "", statements(t, [3]string{"ecs:RunTask", arn + "report:1", ""}, pass),
			in + "do not allow ecs:RunTask" + add + mayRun + ")"},
		{"the family without a revision", "", "", statements(t, [3]string{"ecs:RunTask", arn + "report", ""}, pass),
			in + "do not allow ecs:RunTask" + add + mayRun + ")"},
		{"another cluster", "", "", statements(t, [3]string{"ecs:RunTask", family,
			`{"ArnEquals":{"ecs:cluster":"arn:aws:ecs:us-east-1:111111111111:cluster/d"}}`}, pass),
			in + "do not allow ecs:RunTask" + add + mayRun + ")"},
		{"nothing", "", "", statements(t, [3]string{"s3:GetObject", "*", ""}),
			in + "do not allow ecs:RunTask, iam:PassRole" + add + mayRun + ", " + mayPass(executes) + ")"},
		{"a Deny", "", "", denied, `deploying task "report": ` + starter + ", which starts it by " +
			"schedule/jobs/nightly, is denied ecs:RunTask: explicit deny in its inline policy policy1 (in account " +
			"111111111111, in the inline policy policy1 of role p_scheduler_report_role_dev, exclude role " +
			"p_scheduler_report_role_dev from the Deny for ecs:RunTask on " + family + "; read it: aws iam " +
			"get-role-policy --role-name p_scheduler_report_role_dev --policy-name policy1)"},
		{"to another service", "", "", statements(t, run, [3]string{"iam:PassRole", executes,
			`{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}`}),
			in + "do not allow iam:PassRole" + add + mayPass(executes) + ")"},
		{"another role by input", "", `,"Input":"{\"taskRoleArn\":\"other\"}"`, statements(t, run, pass),
			in + "do not allow iam:PassRole" + add + mayPass("arn:aws:iam::111111111111:role/other") + ")"},
		{"tags", `,"PropagateTags":"TASK_DEFINITION"`, "", statements(t, run, pass),
			in + "do not allow ecs:TagResource" + add + `{"Effect":"Allow","Action":["ecs:TagResource"],"Resource":` +
				`"arn:aws:ecs:us-east-1:111111111111:task/c/*"})`},
		{"tags with permission", `,"EnableECSManagedTags":true`, "", statements(t, run, pass, [3]string{
			"ecs:TagResource", "*", `{"StringEquals":{"ecs:CreateAction":"RunTask"}}`}), ends},
		{"tags with permission in the cluster", `,"EnableECSManagedTags":true`, "", statements(t, run, pass,
			[3]string{"ecs:TagResource", "*",
				`{"ArnEquals":{"ecs:cluster":"arn:aws:ecs:us-east-1:111111111111:cluster/c"}}`}), ends},
		{"tags with permission in another cluster", `,"EnableECSManagedTags":true`, "", statements(t, run, pass,
			[3]string{"ecs:TagResource", "*",
				`{"ArnEquals":{"ecs:cluster":"arn:aws:ecs:us-east-1:111111111111:cluster/other"}}`}),
			in + "do not allow ecs:TagResource" + add + `{"Effect":"Allow","Action":["ecs:TagResource"],"Resource":` +
				`"arn:aws:ecs:us-east-1:111111111111:task/c/*"})`},
		{"tags, and conditions of the other actions", `,"PropagateTags":"TASK_DEFINITION"`, "", statements(t,
			[3]string{"ecs:RunTask", family,
				`{"ArnEquals":{"ecs:cluster":"arn:aws:ecs:us-east-1:111111111111:cluster/c"}}`}, pass),
			in + "do not allow ecs:TagResource" + add + `{"Effect":"Allow","Action":["ecs:TagResource"],"Resource":` +
				`"arn:aws:ecs:us-east-1:111111111111:task/c/*"})`},
		{"a condition of another service and of tags", "", "", statements(t, pass, [3]string{"ecs:TagResource", "*",
			`{"StringEquals":{"ecs:CreateAction":"RunTask"}}`}, [3]string{"s3:*", "*",
			`{"StringEquals":{"s3:prefix":"a"}}`}), in + "do not allow ecs:RunTask" + add + mayRun + ")"},
		{"a condition of the account on another action", "", "", statements(t, pass, [3]string{"s3:*", "*",
			`{"StringEquals":{"aws:SourceVpc":"v"}}`}), ends + "; whether it may be started is not known: the " +
			"policies of " + starter + ", which starts it by schedule/jobs/nightly, have conditions on aws:sourcevpc"},
		{"a condition that is not known", "", "", statements(t, [3]string{"ecs:RunTask", family,
			`{"StringEquals":{"aws:ResourceTag/team":"a"}}`}, pass), ends + "; whether it may be started is not " +
			"known: the policies of " + starter + ", which starts it by schedule/jobs/nightly, have conditions on " +
			"aws:resourcetag/team"},
		{"no role", "", "", nil, `deploying task "report": the role that starts it by schedule/jobs/nightly, ` +
			starter + ", does not exist (create it with the infrastructure)"},
	} {
		for _, form := range []string{"report:1", "report"} {
			t.Run(tt.name+" "+form, func(t *testing.T) {
				t.Parallel()
				w := taskWorld(t, arn+form)
				w.startedBy(t, arn+form, tt.parameters, tt.target)
				if tt.policy != nil {
					w.SetRolePolicy("111111111111", "p_scheduler_report_role_dev", tt.policy)
				}
				got, calls, err := w.deploy(t, report, w.taskOrder())
				text := got.Reason
				if err != nil {
					text = err.Error()
					if fault.NameOf(err) != "PointerRole" || slices.Contains(calls, "RegisterTaskDefinition") {
						t.Errorf("%s after %q", fault.NameOf(err), calls)
					}
				}
				if diff := cmp.Diff(tt.want, text); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// TestRoleCalls checks that IAM is asked before the first move only, once for what several
// pointers have in common, and never for a pointer without a role's ARN.
func TestRoleCalls(t *testing.T) {
	t.Parallel()
	const tags = `,"PropagateTags":"TASK_DEFINITION"`
	target := func(id, role, parameters string) string {
		return fmt.Sprintf(`{"Id":%q,"Arn":"arn:aws:ecs:us-east-1:111111111111:cluster/c","RoleArn":%q,`+
			`"EcsParameters":{"TaskDefinitionArn":%q%s}}`, id, role, arn+"report:1", parameters)
	}
	for _, tt := range []struct {
		name       string
		parameters string
		targets    []string // of the rule
		asked      int      // the first time
	}{
		{"a schedule", "", nil, 2},
		{"with tags", tags, nil, 3},
		{"a rule that uses the same role", "", []string{target("a", starter, ""), target("b", starter, "")}, 2},
		{"one of its targets has tags", "", []string{target("a", starter, ""), target("b", starter, tags)}, 3},
		{"a target with another role", "", []string{target("a", starter, ""), target("b", starter+"_b", "")}, 4},
		{"no ARN", "", []string{target("a", "r", "")}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, of := taskWorld(t, arn+"report:1"), report
			w.startedBy(t, arn+"report:1", tt.parameters, "")
			if tt.targets != nil {
				must(t, w.Rule(t.Context(), "starts", tt.targets...))
				of.Pointers += ",rule/starts"
			}
			for _, role := range []string{"p_scheduler_report_role_dev", "p_scheduler_report_role_dev_b"} {
				w.SetRolePolicy("111111111111", role, statements(t, [3]string{"*", "*", ""}))
			}
			asked := func(calls []string) (n int) {
				for _, c := range calls {
					if c == "SimulatePrincipalPolicy" {
						n++
					}
				}
				return n
			}
			_, calls, err := w.deploy(t, of, w.taskOrder())
			must(t, err)
			if n := asked(calls); n != tt.asked {
				t.Errorf("the first deployment asks %d times, want %d: %q", n, tt.asked, calls)
			}
			first := slices.Index(calls, "SimulatePrincipalPolicy")
			if next := calls[first+tt.asked]; next != "RegisterTaskDefinition" {
				t.Errorf("not before the registration, but before %s: %q", next, calls)
			}
			second := w.taskOrder()
			second.Cause.ID, second.Cause.Time, second.Force = "e2", eventTime.Add(time.Minute), true
			w.clock.Advance(time.Hour)
			if _, calls, err = w.deploy(t, of, second); err != nil || asked(calls) != 0 {
				t.Errorf("the second deployment: %q, %v", calls, err)
			}
		})
	}
}

// TestRoleOfOnePointer refuses what the role of the second pointer may not start.
func TestRoleOfOnePointer(t *testing.T) {
	t.Parallel()
	w, of := taskWorld(t, arn+"report:1"), report
	w.startedBy(t, arn+"report:1", "", "")
	const cluster = "arn:aws:ecs:us-east-1:111111111111:cluster/c"
	must(t, w.Rule(t.Context(), "starts", fmt.Sprintf(`{"Id":"a","Arn":%q,"RoleArn":%q,"EcsParameters":{`+
		`"TaskDefinitionArn":%q}}`, cluster, starter+"_b", arn+"report:1")))
	of.Pointers += ",rule/starts"
	w.SetRolePolicy("111111111111", "p_scheduler_report_role_dev", statements(t, [3]string{"*", "*", ""}))
	_, calls, err := w.deploy(t, of, w.taskOrder())
	const want = `deploying task "report": the role that starts it by rule/starts/a, ` + starter +
		"_b, does not exist (create it with the infrastructure)"
	if err == nil || err.Error() != want || slices.Contains(calls, "RegisterTaskDefinition") {
		t.Errorf("%v after %q", err, calls)
	}
}

// TestRoleNotChecked deploys where IAM does not say what the role may.
func TestRoleNotChecked(t *testing.T) {
	t.Parallel()
	const ends = "the next run uses revision 2, due at 2026-01-23T03:00:00Z; whether " + starter +
		" may start it by schedule/jobs/nightly was not checked: "
	for _, tt := range []struct {
		name  string
		fault emulator.Fault
		want  string
	}{
		{"denied", emulator.Fault{Error: emulator.AccessDenied("User: me is not authorized to perform: " +
			"iam:SimulatePrincipalPolicy on resource: r")}, ends + "iam:SimulatePrincipalPolicy is denied"},
		{"not understood",
			emulator.Fault{Error: &emulator.Error{Status: 400, Code: "InvalidInput"}}, ends + "InvalidInput"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := taskWorld(t, arn+"report:1")
			w.startedBy(t, arn+"report:1", "", "")
			tt.fault.Operation = "iam:SimulatePrincipalPolicy"
			w.Inject(tt.fault)
			got, _, err := w.deploy(t, report, w.taskOrder())
			must(t, err)
			if diff := cmp.Diff(tt.want, got.Reason); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRoleOfPlan checks that a dry run refuses as the deployment would.
func TestRoleOfPlan(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	w.startedBy(t, arn+"report:1", "", "")
	d := New(ecsservice.New(w.Config))
	s, err := d.Read(t.Context(), report)
	must(t, err)
	if _, err := d.Plan(t.Context(), s, w.taskOrder()); fault.NameOf(err) != "PointerRole" {
		t.Errorf("%v", err)
	}
}
