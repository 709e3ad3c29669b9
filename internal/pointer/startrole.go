package pointer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/fault"
)

// passing completes the fault of moving a pointer whose role the caller may not pass: the
// function may pass the roles that the environment file names or implies, as its stack was
// last updated. Both UpdateSchedule and PutTargets pass the role again.
func (o Owner) passing(p Pointer, err error) error {
	var f *fault.Misconfiguration
	message, _ := fault.Denied(err)
	d, _ := fault.ParseDenial(message)
	_, role, isRole := strings.Cut(d.Resource, ":role/")
	if d.Action != "iam:PassRole" || !isRole || d.Explicit || d.Policy != fault.IdentityPolicy && d.Policy != "" ||
		!errors.As(err, &f) {
		return err
	}
	return fault.Misconfigured(f.Name, f.Doing, f.Err,
		fmt.Sprintf("%s; for another caller: %s", o.PassAdvice(p.Rule, role), f.Hint))
}

// invalid completes the fault of a pointer that AWS does not take back as it is, but for its revision: another of its
// members is no more valid.
func invalid(p Pointer, err error) error {
	var f *fault.Misconfiguration
	if !fault.HasCode(err, "ValidationException") || !errors.As(err, &f) || f.Name == fault.ErrPointerUnusable {
		return err
	}
	return fault.Misconfigured(f.Name, f.Doing, f.Err, "only the revision was changed: correct what AWS names, with "+
		"the infrastructure; to see what it holds: "+p.Look())
}

// PassAdvice returns what to do so that the function may pass a role, given by its path and
// name, to schedules or to rules.
func (o Owner) PassAdvice(rule bool, role string) string {
	statement := "PassScheduleRoles"
	if rule {
		statement = "PassRuleRoles"
	}
	update := fmt.Sprintf("update the stack, whose statement %s then has it", statement)
	if !slices.ContainsFunc(o.StartRoles, func(arn string) bool { return strings.HasSuffix(arn, ":role/"+role) }) {
		update = fmt.Sprintf("write `start_role: %s` below deployer.workloads.%s in %s, and update the stack, which "+
			"then has it in the statement %s", role, o.Task, o.File, statement)
	}
	return update + ": make deploy env=" + o.Environment
}
