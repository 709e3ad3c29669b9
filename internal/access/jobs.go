package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// job is the role of one kind of job of a workflow.
type job struct {
	env     *environment.Environment // whose GitHub environment and account it has
	kind    string                   // build, promote or deploy
	rights  []statement
	purpose string // what it does, for the notes
}

func (j job) name() string { return j.env.Project + "_github_" + j.kind + "_" + j.env.Name }

// jobRole is a role with its name and account, as the JSON has it.
type jobRole struct {
	RoleName string
	Account  string
	role
}

// Pipeline returns the roles of a project's workflows, one for each kind of job and
// environment: build pushes images, promote copies them from the registry of the
// environment before, and deploy sends DEPLOY events and follows the rollout. The
// environments are in the order of a release. With rebuild, images are built for each
// registry instead of promoted.
func Pipeline(envs []*environment.Environment, from Source, rebuild bool) (Policy, error) {
	if err := distinct(envs); err != nil {
		return Policy{}, err
	}
	var jobs []job
	var notes []string
	for i, env := range envs {
		more, err := jobsOf(envs[:i], env, rebuild)
		if err != nil {
			return Policy{}, err
		}
		jobs = append(jobs, more...)
	}
	if len(jobs) == 0 {
		return Policy{}, errors.New("no environment has a registry of its own, and none accepts a DEPLOY event: " +
			"there is nothing that a workflow could do")
	}
	var roles []jobRole
	var terraform []string
	var steps []string
	for i, j := range jobs {
		r := role{trusting(j.env, from), newDocument(j.rights...)}
		roles = append(roles, jobRole{j.name(), j.env.AccountID, r})
		terraform = append(terraform, roleResources(j.env, j.name(), r))
		notes = append(notes, fmt.Sprintf("%s in account %s, for jobs with `environment: %s`: %s", j.name(),
			j.env.AccountID, j.env.Name, j.purpose))
		steps = append(steps, fmt.Sprintf("# with credentials of account %s", j.env.AccountID))
		steps = append(steps, r.steps(j.name(), fmt.Sprintf("[%d]", i))...)
	}
	notes = append(notes, "each account needs GitHub's identity provider, https://"+issuer+" for sts.amazonaws.com")
	notes = append(notes, sourceNotes(envs)...)
	return Policy{JSON: text(roles, ""), Terraform: strings.Join(terraform, "\n"), Steps: steps,
		Notes: append(notes, from.note())}, nil
}

// jobsOf returns the roles of an environment's jobs, before being the environments
// before it.
func jobsOf(before []*environment.Environment, env *environment.Environment, rebuild bool) ([]job, error) {
	s, err := newScope(env)
	if err != nil {
		return nil, err
	}
	var jobs []job
	built := slices.ContainsFunc(before, func(e *environment.Environment) bool {
		return e.Registry() == env.Registry()
	})
	if own := s.own(); len(own) > 0 && !built {
		rights, err := copying(before, env, rebuild)
		switch {
		case err != nil:
			return nil, err
		case rights != nil:
			last := before[len(before)-1].Registry()
			jobs = append(jobs, job{env, "promote", rights, "copies images from account " + last.AccountID +
				", whose repositories have to let account " + env.AccountID + " pull"})
		default:
			jobs = append(jobs, job{env, "build", pushing(own), "pushes images to the registry"})
		}
	}
	if sending := s.sending(); sending != nil {
		jobs = append(jobs, job{env, "deploy", append(sending, s.following()...),
			"sends DEPLOY events and follows the rollout"})
	}
	return jobs, nil
}

// copying returns the rights for a promotion from the registry of the environment before;
// none if images are built for this one.
func copying(before []*environment.Environment, to *environment.Environment, rebuild bool) ([]statement, error) {
	if rebuild || len(before) == 0 {
		return nil, nil
	}
	rights, _, err := promoting(before[len(before)-1], to, "add account_id to the file")
	// Tags of images in a registry of both are put with credentials of its own account.
	rights = slices.DeleteFunc(rights, func(s statement) bool { return s.Sid == "TagImages" })
	if len(rights) == 0 {
		return nil, err
	}
	return rights, err
}

// sourceNotes warn of a source that several environments of one account accept: their
// roles can deploy both.
func sourceNotes(envs []*environment.Environment) (notes []string) {
	for i, env := range envs {
		for _, other := range envs[:i] {
			for _, source := range env.DeploySources {
				if env.AccountID == other.AccountID && slices.Contains(other.DeploySources, source) {
					notes = append(notes, fmt.Sprintf("%s and %s are in account %s and both accept %s: the deploy "+
						"role of one deploys the other too (give each deploy_sources of its own)", other.Name,
						env.Name, env.AccountID, source))
				}
			}
		}
	}
	return notes
}
