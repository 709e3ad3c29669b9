package pointer

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/testbed/aws/emulator"
)

// TestPassingIsDenied checks what to do about a role that the caller may not pass to what
// starts a task: name it in the environment file, or update the stack that has it.
func TestPassingIsDenied(t *testing.T) {
	t.Parallel()
	const (
		role     = "arn:aws:iam::222222222222:role/"
		user     = "User: arn:aws:sts::222222222222:assumed-role/shop_deployer_eu/x is not authorized to perform: "
		missing  = " because no identity-based policy allows the iam:PassRole action"
		explicit = " with an explicit deny in a service control policy"
		own      = "in account 222222222222, add to the policy of role shop_deployer_eu: "
		started  = `{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"arn:aws:iam::222222222222:role/events"}`
	)
	for _, tt := range []struct{ name, pointer, roles, denied, want string }{
		{"a rule's role that the file does not name", "rule/r", "",
			user + "iam:PassRole on resource: " + role + "events" + missing,
			"write `start_role: events` below deployer.workloads.nightly in dev.yaml, and update the stack, which " +
				"then has " +
				"it in the statement PassRuleRoles: make deploy env=eu; for another caller: " + own + started},
		{"a schedule's", "schedule/jobs/s", role + "other",
			user + "iam:PassRole on resource: " + role + "service-role/events" + missing,
			"write `start_role: service-role/events` below deployer.workloads.nightly in dev.yaml, and update the " +
				"stack, " +
				"which then has it in the statement PassScheduleRoles: make deploy env=eu; for another caller: " + own +
				strings.Replace(started, "role/", "role/service-role/", 1)},
		{"one that the file names", "rule/r", role + "events",
			user + "iam:PassRole on resource: " + role + "events" + missing,
			"update the stack, whose statement PassRuleRoles then has it: make deploy env=eu; for another caller: " +
				"" + own +
				started},
		{"a file without account", "rule/r", "arn:aws:iam::*:role/events",
			user + "iam:PassRole on resource: " + role + "events" + missing,
			"update the stack, whose statement PassRuleRoles then has it: make deploy env=eu; for another caller: " +
				"" + own +
				started},
		{"denied by the organization", "rule/r", "", user + "iam:PassRole on resource: " + role + "events" + explicit,
			"in the organization's management account, in the service control policy, exclude role shop_deployer_eu " +
				"from the Deny for iam:PassRole on " + role + "events"},
		{"another action", "rule/r", "", user + "events:PutTargets on resource: " + role + "events" + missing,
			own + strings.Replace(started, "iam:PassRole", "events:PutTargets", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, a, c := world(t)
			err := errors.Join(a.Schedule(t.Context(), "s", schedule("rate(1 hour)", first)),
				a.Rule(t.Context(), "r", targetOf("t", cluster, first)))
			if err != nil {
				t.Fatal(err)
			}
			o := owner
			o.Environment, o.StartRoles = "eu", strings.Fields(tt.roles)
			read, err := c.Read(t.Context(), o, environment.TaskPointers(tt.pointer))
			if err != nil {
				t.Fatal(err)
			}
			denied := emulator.AccessDenied(tt.denied)
			e.Inject(emulator.Fault{Operation: "events:PutTargets", Error: denied})
			e.Inject(emulator.Fault{Operation: "scheduler:UpdateSchedule", Error: denied})
			var f *fault.Misconfiguration
			if err := c.Move(t.Context(), o, read[0], second); !errors.As(err, &f) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, f.Hint); diff != "" {
				t.Error(diff)
			}
			if f.Name != "AccessDenied" || !strings.Contains(f.Error(), tt.denied) {
				t.Errorf("%s: %v", f.Name, f)
			}
		})
	}
}
