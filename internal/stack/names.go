package stack

import (
	"slices"
	"strings"

	"deployer/internal/environment"
)

// Made is a name that the stacks of an environment give.
type Made struct {
	What   string // what has the name: "role", "rule", …
	Name   string
	Global bool // the name is the account's, not that of one region; IAM does not distinguish case in it
}

// kind is what deploy/template.yaml names PROJECT_deployer_ENV, or PROJECT_deployer_INFIX_ENV.
type kind struct {
	what    string
	global  bool
	infixes []string
}

// kinds are the kinds of deploy/template.yaml, with all their infixes. The dashboard and the log group are named as the
// function is.
var kinds = []kind{
	{"function", false, []string{""}},
	{"role", true, []string{"", "retry", "forward"}},
	{"managed policy", true, []string{"outcomes", "roles", "more_roles", "images", "schedules", "rules", "starts",
		"checks", "resources_1", "resources_2", "resources_3", "resources_4", "resources_5", "resources_6",
		"resources_7", "resources_8", "resources_9", "resources_10"}},
	{"rule", false, []string{"deploy", "push", "reconcile", "rollout", "run", "hook", "parameter", "secret", "file",
		"forward", "forward2", "forward3"}},
	{"queue", false, []string{"undelivered", "failed"}},
	{"schedule group", false, []string{"retry"}},
	{"alarm", false, []string{"errors", "throttles", "undelivered", "failed", "rollouts", "impaired", "rejected",
		"reconcile"}},
}

// Names returns the names that the stacks of an environment give: those of deploy/template.yaml, of
// deploy/registry.yaml if the images come from the environment's own account, and of the stacks themselves.
func Names(env *environment.Environment) (all []Made) {
	for _, k := range kinds {
		for _, infix := range k.infixes {
			if infix != "" {
				infix += "_"
			}
			all = append(all, Made{k.what, env.Project + "_deployer_" + infix + env.Name, k.global})
		}
	}
	all = append(all, Made{"stack", Name(env), false})
	repositories, err := ownRepositories(env)
	if err != nil {
		return all
	}
	for i := range parts(repositories) {
		all = append(all, Made{"stack", partName(env, i), false})
	}
	for _, name := range repositories {
		all = append(all, Made{"repository", name, false})
	}
	return all
}

// Shared returns the names that the stacks of two environments would both give, so that only one of them can be
// created; none if the environments are in different accounts, or are the same. An environment without an account may
// be in that of the other. The environments of a project share their repositories: these are not among the names.
func Shared(a, b *environment.Environment) (shared []Made) {
	same := a.Project == b.Project && a.Name == b.Name && a.Region == b.Region
	if same || a.AccountID != b.AccountID && a.AccountID != "" && b.AccountID != "" {
		return nil
	}
	others := Names(b)
	for _, name := range Names(a) {
		if name.What == "repository" && a.Project == b.Project {
			continue
		}
		if slices.ContainsFunc(others, func(other Made) bool {
			return name.What == other.What && (name.Global && strings.EqualFold(name.Name, other.Name) ||
				name.Name == other.Name && a.Region == b.Region)
		}) {
			shared = append(shared, name)
		}
	}
	return shared
}

// SharedRepositories returns the repositories that two environments of a project both have in one account and region:
// one stack creates them.
func SharedRepositories(a, b *environment.Environment) (shared []string) {
	if a.Project != b.Project || a.Name == b.Name || a.Region != b.Region || a.AccountID != b.AccountID ||
		a.AccountID == "" {
		return nil
	}
	ours, err := ownRepositories(a)
	if err != nil {
		return nil
	}
	theirs, err := ownRepositories(b)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(ours, func(name string) bool { return !slices.Contains(theirs, name) })
}
