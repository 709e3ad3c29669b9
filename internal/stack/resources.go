package stack

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// resources are the ARNs of what the function's role may use. The first three follow
// the template's name patterns, which also match resources of a neighbour; they take
// the place of the patterns.
type resources struct {
	families, roles, repositories []string
	moreRoles                     []string // the rest of roles, from fit on
	shortRoles, shortRepositories []string // with narrow name patterns for the conventional ones of services and tasks
	extraFamilies                 []string
	extraRepositories             []string
	extraRoles                    string
	schedules, rules              []string // what starts tasks
	shortSchedules, shortRules    []string // the same, with name patterns for the conventional ones
	scheduleRoles, ruleRoles      []string // the roles that these start tasks with
	shortStartRoles               [2][]string
}

// maxParameter is the number of characters that a parameter's value may have (CloudFormation quotas).
const maxParameter = 4096

var errNoAccount = errors.New(
	"the file does not name its account, and the stack needs the ARNs of resources with unconventional names (add " +
		"account_id to the file, or use --account)")

// roleResources returns what the role of an environment's function may use. The error
// is errNoAccount.
func roleResources(env *environment.Environment) (resources, error) {
	var r resources
	partition, account := image.PartitionOf(env.Region).Name, env.AccountID
	if account == "" {
		account = "*" // of an ARN; the role's own account all the same
	}
	for _, w := range env.Workloads {
		if !w.Deployable() {
			continue
		}
		family := fmt.Sprintf("arn:%s:ecs:%s:%s:task-definition/%s:*", partition, env.Region, account, w.Family)
		switch {
		case isConventional(env, w.Family), !w.HasService() && env.AccountID == "":
			r.families = add(r.families, family)
		case env.AccountID == "":
			return resources{}, errNoAccount
		default:
			r.extraFamilies = add(r.extraFamilies, family)
		}
		for _, role := range env.Roles(w) {
			r.roles = add(r.roles, fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, account, role))
		}
		if err := r.addRepository(env, w); err != nil {
			return resources{}, err
		}
	}
	for _, arn := range r.roles {
		r.shortRoles = add(r.shortRoles, shorten(arn, ":role/", rolePatterns(env)))
	}
	for _, arn := range r.repositories {
		r.shortRepositories = add(r.shortRepositories, shorten(arn, ":repository/", repositoryPatterns(env)))
	}
	r.schedules, r.shortSchedules = pointers(env, false)
	r.rules, r.shortRules = pointers(env, true)
	r.scheduleRoles, r.ruleRoles = env.StartRoles()
	r.shortStartRoles = [2][]string{shortStarts(env, r.scheduleRoles, "role"),
		shortStarts(env, r.ruleRoles, "task_execution")}
	return r, nil
}

// pointers returns the ARNs of the schedules, or of the rules, that start tasks, and the same
// with a name pattern in the place of the conventional ones.
func pointers(env *environment.Environment, rules bool) (all, short []string) {
	account := env.AccountID
	if account == "" {
		account = "*"
	}
	in := env.In(account)
	pattern := schedulePattern(env)
	if rules {
		pattern = rulePattern(env)
	}
	for _, w := range env.Workloads {
		for _, p := range w.Pointers.All() {
			if p.Rule != rules {
				continue
			}
			all = add(all, p.ARN(in))
			before, after, _ := strings.Cut(pattern.Name, "*")
			group, _, _ := strings.Cut(pattern.Group, "*")
			if strings.HasPrefix(p.Name, before) && strings.HasSuffix(p.Name, after) &&
				strings.HasPrefix(p.Group, group) {
				p = pattern
			}
			short = add(short, p.ARN(in))
		}
	}
	return all, short
}

// isConventional reports whether the template's name patterns cover a family.
func isConventional(env *environment.Environment, family string) bool {
	return family == env.Project+"_service_"+env.Name ||
		strings.HasPrefix(family, env.Project+"_service_") && strings.HasSuffix(family, "_"+env.Name)
}

// addRepository adds a workload's repository. It is an extra one if its name does not
// start with the project's, or if it is not in the strategy's registry.
func (r *resources) addRepository(env *environment.Environment, w environment.Workload) error {
	registry := w.Registry
	switch {
	case w.Repository == "":
	case registry == env.Registry() && strings.HasPrefix(w.Repository, env.Project+"_"):
		if registry.AccountID == "" {
			registry.AccountID = "*"
		}
		r.repositories = add(r.repositories, registry.RepositoryARN(w.Repository))
	case registry.AccountID == "":
		return errNoAccount
	default:
		r.extraRepositories = add(r.extraRepositories, registry.RepositoryARN(w.Repository))
	}
	return nil
}

// add appends an ARN that the list does not have.
func add(list []string, arn string) []string {
	if slices.Contains(list, arn) {
		return list
	}
	return append(list, arn)
}

// fit replaces each list by patterns that does not fit into its parameter and into the policies that have it: at first
// by those that no other project's names match, unless its name begins with PROJECT_service, PROJECT_scheduler or
// PROJECT_task. The template has the patterns of those that it empties. The error says that the rest does not fit
// either. The Terraform module does the same, and has no parameters.
func (r *resources) fit(p policySize, file string) error {
	r.roles, r.moreRoles = split(r.roles)
	if isLong(r.repositories) || !p.fits(r, images) {
		r.repositories = r.shortRepositories
	}
	if isLong(r.repositories) || !p.fits(r, images) {
		r.repositories = nil
	}
	if isLong(r.families) || !p.fits(r, inline, outcomes) {
		r.families = nil
	}
	if isLong(r.moreRoles) || !p.fits(r, taskRoles, moreTaskRoles) {
		r.roles, r.moreRoles = r.shortRoles, nil
	}
	if isLong(r.roles) || !p.fits(r, taskRoles) {
		r.roles = nil
	}
	if isLong(r.schedules) || !p.fits(r, schedules) {
		r.schedules = r.shortSchedules
	}
	if isLong(r.rules) || !p.fits(r, rules) {
		r.rules = r.shortRules
	}
	if isLong(r.scheduleRoles) || isLong(r.ruleRoles) || !p.fits(r, starts, checks) {
		r.scheduleRoles, r.ruleRoles = r.shortStartRoles[0], r.shortStartRoles[1]
	}
	for _, kind := range policyKinds {
		if !p.fits(r, kind) {
			return fmt.Errorf("the policy %q of the deployer's role would have %d characters, and IAM accepts %d: %s "+
				"has too many tasks, or names of its own (give some of the workloads an environment of their own)",
				kind.name, p.of(r, kind), kind.limit, file)
		}
	}
	return r.checkParameters(file)
}

// isLong reports whether a list does not fit into a parameter.
func isLong(list []string) bool { return len(strings.Join(list, ",")) > maxParameter }

// split returns what fits of a list into one parameter, and the rest.
func split(list []string) (first, rest []string) {
	n := len(list)
	for n > 0 && isLong(list[:n]) {
		n--
	}
	return list[:n], list[n:]
}

// checkParameters returns an error if a list in whose place there is no pattern is longer than
// a parameter's value.
func (r *resources) checkParameters(file string) error {
	for _, p := range r.parameters() {
		if len(p.Value) > maxParameter {
			return fmt.Errorf("%s would have %d characters, and CloudFormation accepts %d: %s has too many tasks, or "+
				"names "+
				"of its own (give some of the workloads an environment of their "+
				"own)", p.Name, len(p.Value), maxParameter,
				file)
		}
	}
	return nil
}

// parameters returns the parameters that hold the lists, except ExtraRoleArns.
func (r *resources) parameters() []Parameter {
	join := func(list []string) string { return strings.Join(list, ",") }
	return []Parameter{
		{"FamilyArns", join(r.families)}, {"RoleArns", join(r.roles)}, {"MoreRoleArns", join(r.moreRoles)},
		{"RepositoryArns", join(r.repositories)},
		{"ExtraFamilyArns", join(r.extraFamilies)}, {"ExtraRepositoryArns", join(r.extraRepositories)},
		{"ScheduleArns", join(r.schedules)}, {"ScheduleRoleArns", join(r.scheduleRoles)},
		{"RuleArns", join(r.rules)}, {"RuleRoleArns", join(r.ruleRoles)},
	}
}
