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
	extraFamilies                 []string
	extraRepositories             []string
	extraRoles                    string
	schedules, rules              []string // what starts tasks
	scheduleRoles, ruleRoles      []string // the roles that these start tasks with
	names                         int      // characters of the project and the environment
}

// The limits on the role's lists.
const (
	maxParameter = 4096  // characters of a parameter's value (CloudFormation quotas)
	maxPolicies  = 10240 // characters of a role's inline policies, without white space (IAM and STS quotas)
)

var errNoAccount = errors.New(
	"the file does not name its account, and the stack needs the ARNs of resources with unconventional names (add " +
		"account_id to the file, or use --account)")

// roleResources returns what the role of an environment's function may use. The error
// is errNoAccount.
func roleResources(env *environment.Environment) (resources, error) {
	r := resources{names: len(env.Project) + len(env.Name)}
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
	r.schedules, r.rules = pointers(env, false), pointers(env, true)
	r.scheduleRoles, r.ruleRoles = env.StartRoles()
	return r, nil
}

// maxPointers is how many characters the ARNs of schedules, and those of rules, may have in
// the role's policy. Name patterns take the place of longer ones.
const maxPointers = 1500

// pointers returns the ARNs of the schedules, or of the rules, that start tasks.
func pointers(env *environment.Environment, rules bool) []string {
	account := env.AccountID
	if account == "" {
		account = "*"
	}
	in := env.In(account)
	pattern := environment.TaskPointer{Group: env.Project + "-schedule-group-" + env.Name + "-*",
		Name: env.Project + "-scheduler-*-" + env.Name}
	if rules {
		pattern = environment.TaskPointer{Rule: true, Name: env.Project + "_rule_*_" + env.Name}
	}
	var all, short []string
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
	if len(strings.Join(all, ",")) > maxPointers {
		return short
	}
	return all
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

// fit empties lists, for the template's patterns, until the others are within the
// limits, rest being what the policy has beside them. Reading images of a neighbour is
// the least that a pattern may allow.
func (r *resources) fit(rest int) {
	lists := []*[]string{&r.repositories, &r.families, &r.roles}
	for _, list := range lists {
		if len(strings.Join(*list, ",")) > maxParameter {
			*list = nil
		}
	}
	// Without the repositories, else without one of the other two as well, else without any.
	all := *r
	for _, without := range [][]int{{}, {0}, {0, 1}, {0, 2}, {0, 1, 2}} {
		*r = all
		for _, i := range without {
			*lists[i] = nil
		}
		if rest+r.size() <= maxPolicies {
			return
		}
	}
}

// size returns how many characters the lists take in the role's policy, or the patterns in
// their place: two statements have the families.
func (r *resources) size() int {
	size := 0
	if len(r.families) == 0 {
		size += 270 + 4*r.names
	}
	if len(r.roles) == 0 {
		size += 100 + 2*r.names
	}
	if len(r.repositories) == 0 {
		size += 60 + r.names
	}
	if len(r.schedules) > 0 {
		size += 330 + len(r.extraRoles)
	}
	if len(r.rules) > 0 {
		size += 560 + len(r.extraRoles)
	}
	for _, list := range [][]string{r.families, r.families, r.extraFamilies, r.extraFamilies, r.roles,
		r.schedules, r.scheduleRoles, r.rules, r.rules, r.ruleRoles, {r.extraRoles}, r.repositories,
		r.extraRepositories} {
		for _, arn := range list {
			size += len(arn) + len(`"",`)
		}
	}
	return size
}

// restOf returns what the policy has at most beside the lists. The cluster, the
// project and the environment are in several resources each.
func restOf(all []Parameter) int {
	size := 4060
	for _, p := range all {
		switch p.Name {
		case "ClusterName":
			size += 5 * len(p.Value)
		case "Project", "Env":
			size += 12 * len(p.Value)
		case "SlackParameter":
			size += 2 * len(p.Value)
		case "NotifyTopicArn", "KmsKeyArns":
			size += len(p.Value) + 3*strings.Count(p.Value, ",")
		}
	}
	return size
}

// parameters returns the parameters that hold the lists, except ExtraRoleArns.
func (r *resources) parameters() []Parameter {
	join := func(list []string) string { return strings.Join(list, ",") }
	return []Parameter{
		{"FamilyArns", join(r.families)}, {"RoleArns", join(r.roles)}, {"RepositoryArns", join(r.repositories)},
		{"ExtraFamilyArns", join(r.extraFamilies)}, {"ExtraRepositoryArns", join(r.extraRepositories)},
		{"ScheduleArns", join(r.schedules)}, {"ScheduleRoleArns", join(r.scheduleRoles)},
		{"RuleArns", join(r.rules)}, {"RuleRoleArns", join(r.ruleRoles)},
	}
}

// Patterns returns a sentence about the lists that are empty because the ARNs of the
// environment's resources do not fit into the role's policy, and about the name
// patterns that the role uses instead; "" if all fit.
func Patterns(env *environment.Environment, parameters []Parameter) string {
	var names, patterns []string
	deployable := 0
	for _, w := range env.Workloads {
		if w.Deployable() {
			deployable++
		}
	}
	for _, p := range parameters {
		pattern := map[string]string{
			"FamilyArns":     "families PROJECT_service_ENV and PROJECT_service_*_ENV",
			"RoleArns":       "roles PROJECT_*_task_ENV and PROJECT_*_task_execution_ENV",
			"RepositoryArns": "repositories PROJECT_*",
		}[p.Name]
		if pattern != "" && p.Value == "" && conventional(env, p.Name) {
			names, patterns = append(names, p.Name), append(patterns, pattern)
		}
	}
	if len(names) == 0 {
		return ""
	}
	used := strings.NewReplacer("PROJECT", env.Project, "ENV", env.Name).Replace(strings.Join(patterns, "; "))
	return fmt.Sprintf("%s left empty, because the ARNs of %d workloads do not fit into the policy of the deployer's "+
		"role. It uses name patterns instead, which can match a neighbour's resources too: %s",
		strings.Join(names, ", "), deployable, used)
}

// conventional reports whether the environment has resources for one of the lists.
func conventional(env *environment.Environment, parameter string) bool {
	r, err := roleResources(env)
	if err != nil {
		return false
	}
	return len(map[string][]string{
		"FamilyArns": r.families, "RoleArns": r.roles, "RepositoryArns": r.repositories}[parameter]) > 0
}
