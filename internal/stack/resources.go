package stack

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// resources are the ARNs of what the function's role may use. The names in the first four follow the convention.
type resources struct {
	families, roles, repositories []string
	moreRoles                     []string // the rest of roles, from fit on
	extraFamilies                 []string
	extraRepositories             []string
	extraRoles                    string
	schedules, rules              []string // what starts tasks
	scheduleRoles, ruleRoles      []string // the roles that these start tasks with

	all everything // the lists above, in the order of the workloads

	policies [][]string // what is in the place of the lists if these do not fit: the ARNs in each policy
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
	// The wildcard is for the role's own account all the same.
	partition, account := image.PartitionOf(env.Region).Name, cmp.Or(env.AccountID, "*")
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
		r.all.families = add(r.all.families, family)
		for _, role := range env.Roles(w) {
			r.roles = add(r.roles, fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, account, role))
		}
		if err := r.addRepository(env, w); err != nil {
			return resources{}, err
		}
	}
	r.fill(env)
	r.schedules, r.rules = pointers(env, false), pointers(env, true)
	r.scheduleRoles, r.ruleRoles = env.StartRoles()
	r.all.roles = slices.Concat(r.roles, r.scheduleRoles, r.ruleRoles)
	r.all.schedules, r.all.rules = r.schedules, r.rules
	return r, nil
}

// fill makes no list empty in whose place the template has the backend's conventional names, which may be those of
// something else: one of the others is in it instead, if there is one.
func (r *resources) fill(env *environment.Environment) {
	partition, account, registry := image.PartitionOf(env.Region).Name, cmp.Or(env.AccountID, "*"), env.Registry()
	registry.AccountID = cmp.Or(registry.AccountID, "*")
	family := fmt.Sprintf("arn:%s:ecs:%s:%s:task-definition/%s_service_%s:*", partition, env.Region, account,
		env.Project, env.Name)
	role := fmt.Sprintf("arn:%s:iam::%s:role/%s_backend_task_%s", partition, account, env.Project, env.Name)
	for _, l := range []struct {
		arns   *[]string
		others []string
	}{
		{&r.families, append(slices.Clone(r.extraFamilies), family)},
		{&r.roles, []string{role}},
		{&r.repositories, append(slices.Clone(r.extraRepositories), registry.RepositoryARN(env.Project+"_backend"))},
	} {
		if len(*l.arns) == 0 {
			*l.arns = l.others[:1]
		}
	}
}

// pointers returns the ARNs of the schedules, or of the rules, that start tasks.
func pointers(env *environment.Environment, rules bool) (all []string) {
	in := env.In(cmp.Or(env.AccountID, "*"))
	for _, w := range env.Workloads {
		for _, p := range w.Pointers.All() {
			if p.Rule == rules {
				all = add(all, p.ARN(in))
			}
		}
	}
	return all
}

// isConventional reports whether a family is named PROJECT_service_ENV or PROJECT_service_NAME_ENV.
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
		r.all.repositories = add(r.all.repositories, registry.RepositoryARN(w.Repository))
	case registry.AccountID == "":
		return errNoAccount
	default:
		r.extraRepositories = add(r.extraRepositories, registry.RepositoryARN(w.Repository))
		r.all.repositories = add(r.all.repositories, registry.RepositoryARN(w.Repository))
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

// distinct returns a list with each element once, where it is first.
func distinct(list []string) (once []string) {
	seen := map[string]bool{}
	for _, one := range list {
		if !seen[one] {
			seen[one], once = true, append(once, one)
		}
	}
	return once
}

// fit puts the lists into policies of other forms if one of them does not fit into its parameter, or into the policies
// that have it. There, the names are exact too if they fit; else those kinds are name patterns that the environment
// accepts. The error is a [TooLargeError]. The Terraform module does the same, though it has no parameters.
func (r *resources) fit(env *environment.Environment, p policySize) error {
	r.roles, r.moreRoles = split(r.roles)
	if !slices.ContainsFunc(r.lists(), func(l arnList) bool { return isLong(l.arns) }) && p.fits(r, policyKinds...) {
		return nil
	}
	for _, kinds := range [][]environment.Reach{nil, env.RolePatterns} {
		r.policies = p.pack(withPatterns(env, r.all, kinds), r.extraRoles)
		if len(r.policies) <= maxPolicies {
			break
		}
	}
	if len(r.policies) > maxPolicies {
		return r.tooLarge(env, p)
	}
	// The rule of pushes depends on whether there are others.
	r.extraRepositories, _ = split(r.extraRepositories)
	r.families, r.roles, r.moreRoles, r.repositories, r.extraFamilies = nil, nil, nil, nil, nil
	r.schedules, r.rules, r.scheduleRoles, r.ruleRoles = nil, nil, nil, nil
	if n := p.of(r, inline); n > inline.limit {
		return &TooLargeError{fmt.Sprintf("the policy %q of the deployer's role would have %d characters, and IAM "+
			"accepts %d", inline.name, n, inline.limit), fmt.Sprintf("shorten the name of the cluster, the topic or "+
			"the webhook's parameter in %s, or name fewer keys", env.File)}
	}
	return nil
}

// isLong reports whether a list does not fit into a parameter.
func isLong(list []string) bool { return len(strings.Join(list, ",")) > maxParameter }

// split returns what fits of a list into one parameter, and the rest.
func split(list []string) (first, rest []string) {
	size := -1 // of the list with commas: the first has none before it
	for n, one := range list {
		size += 1 + len(one)
		if size > maxParameter {
			return list[:n], list[n:]
		}
	}
	return list, nil
}

// arnList is a list of ARNs that is the value of a parameter.
type arnList struct {
	name string
	arns []string
}

// lists returns the lists and their parameters.
func (r *resources) lists() []arnList {
	return []arnList{
		{"FamilyArns", r.families}, {"RoleArns", r.roles}, {"MoreRoleArns", r.moreRoles},
		{"RepositoryArns", r.repositories},
		{"ExtraFamilyArns", r.extraFamilies}, {"ExtraRepositoryArns", r.extraRepositories},
		{"ScheduleArns", r.schedules}, {"ScheduleRoleArns", r.scheduleRoles},
		{"RuleArns", r.rules}, {"RuleRoleArns", r.ruleRoles},
	}
}

// parameters returns the parameters that hold the lists, except ExtraRoleArns, and those in the place of them.
func (r *resources) parameters() (all []Parameter) {
	for _, l := range r.lists() {
		all = append(all, Parameter{l.name, strings.Join(l.arns, ",")})
	}
	return append(all, resourceParameters(r.policies)...)
}
