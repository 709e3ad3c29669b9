package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"deployer/internal/fault"
	"deployer/internal/promote"
	"deployer/internal/shell"
	"deployer/internal/stack"
)

// checkAccount checks that the credentials of an end belong to its account. The flag names a profile of them, as one
// profile for both ends may not do.
func (e *end) checkAccount(flag string) error {
	err := checkAccount(e.env, e.caller)
	var parts parted
	if !errors.As(err, &parts) {
		return err
	}
	what, _ := parts.Parts()
	return &ofAWS{hinted(listProfiles(), "%s: name a profile of that account with %s", what, flag)}
}

// noteRights notes how to see all that a copy needs, if AWS denied a part of it: AWS names one action at a time.
func (a *app) noteRights(from, to *end, err error) {
	if errors.Is(err, fault.ErrAccessDenied) {
		a.note("all that a promotion needs, in both accounts: %s", to.env.Command("policy promote", "--from",
			from.env.File))
	}
}

// stopped returns why a copy has not ended.
func stopped(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("the copy has not ended in %s", promoteTimeout)
	}
	return "interrupted"
}

// noRepository adds to the error of a repository that the target lacks the command that leads to it.
func noRepository(err error, to *end) error {
	var f *fault.Misconfiguration
	if !errors.Is(err, fault.ErrRepositoryNotFound) || !errors.As(err, &f) {
		return err
	}
	hint := fmt.Sprintf("aws ecr create-repository --region %s --repository-name %s", to.workload.Registry.Region,
		to.workload.Repository)
	if slices.Contains(stack.Repositories(to.env), to.workload.Repository) {
		hint = to.env.Command("params", "--registry") +
			" # prints the parameters and the command of the stack that has it"
	}
	return fault.Misconfigured(f.Name, f.Doing, f.Err, hint)
}

// tagTaken adds to the error of a tag on another image what to do.
func (a *app) tagTaken(err error) error {
	var taken *promote.TagTakenError
	switch {
	case !errors.As(err, &taken):
		return err
	case taken.Immutable && taken.Exclude == nil:
		return fmt.Errorf("%w; choose another tag with --as", err)
	case taken.Immutable:
		mutable := fmt.Sprintf("aws ecr put-image-tag-mutability --registry-id %s --region %s --repository-name %s "+
			"--image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters",
			taken.Place.Registry.AccountID, taken.Place.Registry.Region, taken.Place.Repository)
		for _, filter := range taken.Exclude {
			mutable += " " + shell.Quote("filterType=WILDCARD,filter="+filter)
		}
		return hinted(mutable,
			"%w; choose another tag with --as, or make this one mutable and run the command again with --force", err)
	}
	return hinted(commandLine(append(slices.Clone(a.args), "--force")...),
		"%w; choose another tag with --as, or move this one with --force, if the repository's tags are mutable", err)
}
