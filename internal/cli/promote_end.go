package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"deployer/internal/awsconfig"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/promote"
)

// end is the source or the target of a promotion.
type end struct {
	*session
	workload environment.Workload
}

// ends reads both environments, and then connects to them.
func (a *app) ends(ctx context.Context, args []string, how promoteFlags) (from, to *end, err error) {
	source, errFrom := a.find(named{how.from, "from-account", how.fromAccount, how.fromProfile}, args[0])
	target, errTo := a.find(named{how.to, "to-account", how.toAccount, how.toProfile}, args[0])
	if err := cmp.Or(errFrom, errTo); err != nil {
		return nil, nil, err
	}
	if err := a.checkPromotion(source, target, args[1:], how); err != nil {
		return nil, nil, err
	}
	limited, cancel := withTimeout(ctx)
	defer cancel()
	if from, err = a.connectEnd(limited, source); err != nil {
		return nil, nil, err
	}
	if to, err = a.connectEnd(limited, target); err != nil {
		return nil, nil, err
	}
	if how.deploy { // before an hour of copying
		err = to.checkAccount("--to-profile")
	}
	return from, to, err
}

// checkPromotion checks what can be checked without AWS.
func (a *app) checkPromotion(from, to foundEnd, tags []string, how promoteFlags) error {
	all := tags
	if how.as != "" {
		all = append(slices.Clone(tags), how.as)
	}
	for _, tag := range all {
		if wrong := event.CheckTag(tag); wrong != "" {
			return wrongUsage("%s", wrong)
		}
	}
	if to.workload.Repository == "" {
		return fmt.Errorf("%s %s of %s runs %q, from outside ECR: there is no repository to promote to",
			to.workload.Kind, to.workload.Name, to.env.Name, to.workload.External)
	}
	return a.notToItself(from.env, to.env, tags, how.as)
}

// named are the flags that name the source or the target: the environment's name or file, its account with the flag
// that names it, and the profile with the credentials.
type named struct{ env, flag, account, profile string }

// foundEnd is the source or the target by its environment file.
type foundEnd struct {
	env      *environment.Environment
	workload environment.Workload
	profile  string
}

// find reads the environment that flags name, and finds the service in it.
func (a *app) find(n named, service string) (foundEnd, error) {
	file, err := a.fileOrEnvironment(n.env)
	if err != nil {
		return foundEnd{}, err
	}
	env, w, err := a.loadService(file, service)
	if err != nil {
		return foundEnd{}, err
	}
	env, err = inAccount(env, n.flag, n.account)
	return foundEnd{env, w, n.profile}, err
}

// connectEnd connects to an environment with credentials that may be of another account.
func (a *app) connectEnd(ctx context.Context, f foundEnd) (*end, error) {
	s, err := a.enter(ctx, f.env, f.profile)
	if err != nil {
		return nil, err
	}
	return &end{s, s.env.Current(f.workload)}, nil
}

// place returns the end's repository, with the end's credentials.
func (e *end) place() promote.Place {
	return promote.Place{Registry: e.workload.Registry, Repository: e.workload.Repository,
		Config: awsconfig.ForTransfers(e.config)}
}
