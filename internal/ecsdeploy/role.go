package ecsdeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/fault"
	"deployer/internal/pointer"
)

// roleTime is how long IAM may take to say what the roles that start a task may do. IAM is
// not in every VPC.
const roleTime = 3 * time.Second

// CheckRoles returns the fault with which Plan refuses an order for a task, because a role that
// starts it may not. It is nil for a service, and if the order needs no new revision. If there is no
// fault, neither Plan nor Deploy asks IAM again for this state.
func (d *Deployer) CheckRoles(ctx context.Context, s *State, o Order) error {
	warned := s.warning
	if err := d.newRun(ctx, s, o).checkRoles(ctx); err == nil {
		return nil
	}
	s.warning, s.checkedRoles = warned, false // Plan asks again, if it registers a revision
	_, err := d.Plan(ctx, s, o)
	return err
}

// checkRoles returns a fault if the role that starts a task may not start the revision that
// is to be registered: ECS denies such a run silently. IAM is asked only for pointers that
// still hold a revision of another tool, which is before the first move of each. If IAM
// cannot be asked, the result has a warning.
func (r *run) checkRoles(ctx context.Context) error {
	s := r.state
	if s.checkedRoles || s.pointers == nil {
		return nil
	}
	s.checkedRoles = true
	ctx, cancel := context.WithTimeout(ctx, roleTime)
	defer cancel()
	base := s.base().TaskDefinition
	roles := []string{aws.ToString(base.TaskRoleArn), aws.ToString(base.ExecutionRoleArn)}
	first := slices.DeleteFunc(slices.Clone(s.pointers), func(p pointer.Pointer) bool { return !s.firstMove(p) })
	answers := r.deployer.services.PointerRights(ctx, first, s.newest.Number()+1, roles)
	for i, p := range first {
		if err := answers[i].Err; err != nil {
			s.warn(notLooked(p, err))
			continue
		}
		if why, fix := answers[i].Refusal(p); why != "" {
			doing := fmt.Sprintf("deploying %s", s.target)
			return fault.Misconfigured(fault.ErrPointerRole, doing, errors.New(why), fix)
		}
		if why := answers[i].Doubt(p); why != "" {
			s.warn("whether it may be started is not known: " + why)
		}
	}
	return nil
}

// firstMove reports whether a pointer holds a revision that the deployer did not register,
// as far as it is known, and has a role that IAM can be asked about.
func (s *State) firstMove(p pointer.Pointer) bool {
	number := p.Revision()
	if p.Floating() {
		number = s.newest.Number()
	}
	held, known := s.revisions[number]
	return pointer.IsRole(p.Role) && (!known || s.target.Record(held).Foreign)
}

// notLooked says that it could not be looked at what a pointer's role may do.
func notLooked(p pointer.Pointer, err error) string {
	why := fault.NameOf(err)
	if _, denied := fault.Denied(err); denied {
		why = "iam:SimulatePrincipalPolicy is denied"
	}
	return fmt.Sprintf("whether %s may start it by %s was not checked: %s", p.Role, p, why)
}

// warn adds a warning to the result's reason.
func (s *State) warn(text string) {
	if s.warning != "" {
		text = s.warning + "; " + text
	}
	s.warning = text
}
