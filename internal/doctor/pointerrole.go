package doctor

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/pointer"
)

// passes reports the roles of pointers that the deployer's role may not pass: deployments of
// the task would not move them. A pointer that floats is never written.
func (f *findings) passes(ctx context.Context, c *checker, t ecsservice.Target, pointers []pointer.Pointer) {
	for _, p := range pointers {
		if !pointer.IsRole(p.Role) || p.Floating() {
			continue
		}
		to := "scheduler.amazonaws.com"
		if p.Rule {
			to = "events.amazonaws.com"
		}
		own := c.roleARN(c.function)
		var may rights
		err := may.simulate(ctx, c, own, permission{[]string{"iam:PassRole"}, p.Role,
			map[string]string{"iam:PassedToService": to}})
		if err != nil {
			continue // it is reported by the check of that role
		}
		f.refused("deployer's role", own, may.refused, "deployments, which move "+p.String())
		if len(may.lacking) > 0 {
			f.add("deployer's role", Problem, fmt.Sprintf("the policies of %s do not allow it to pass %s, with which "+
				"%s starts the task: a deployment would not move it", own, p.Role, p), t.PassAdvice(p))
		}
	}
}

// pointerRoles reports whether the roles of pointers may start the revision that follows
// newest: a run that ECS denies is silent.
func (f *findings) pointerRoles(ctx context.Context, c *checker, pointers []pointer.Pointer,
	newest *types.TaskDefinition) {
	const check = "starting role"
	roles := []string{aws.ToString(newest.TaskRoleArn), aws.ToString(newest.ExecutionRoleArn)}
	pointers = slices.DeleteFunc(slices.Clone(pointers),
		func(p pointer.Pointer) bool { return !pointer.IsRole(p.Role) })
	answers := c.services.PointerRights(ctx, pointers, int(newest.Revision)+1, roles)
	for i, p := range pointers {
		why, fix := answers[i].Refusal(p)
		switch doubt := answers[i].Doubt(p); {
		case answers[i].Err != nil:
			f.notChecked(c, check, "iam:SimulatePrincipalPolicy", p.Role, answers[i].Err)
		case why != "":
			f.add(check, Problem, why+": its next revision would not be started, and no error says so", fix)
		case doubt != "":
			f.add(check, Unknown, doubt, "check by hand whether they hold for ecs:RunTask")
		default:
			f.ok(check, "%s may start the next revision by %s", p.Role, p)
		}
	}
}
