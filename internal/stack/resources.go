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
	shortSchedules, shortRules    []string // the same, with name patterns for the conventional ones
	scheduleRoles, ruleRoles      []string // the roles that these start tasks with
	shortStartRoles               [2][]string
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
	r.schedules, r.shortSchedules = pointers(env, false)
	r.rules, r.shortRules = pointers(env, true)
	r.scheduleRoles, r.ruleRoles = env.StartRoles()
	r.shortStartRoles = [2][]string{shortRoles(env, r.scheduleRoles, "role"),
		shortRoles(env, r.ruleRoles, "task_execution")}
	return r, nil
}

// schedulePattern and rulePattern return the pattern of the conventional names.
func schedulePattern(env *environment.Environment) environment.TaskPointer {
	return environment.TaskPointer{Group: env.Project + "-schedule-group-" + env.Name + "-*",
		Name: env.Project + "-scheduler-*-" + env.Name}
}

func rulePattern(env *environment.Environment) environment.TaskPointer {
	return environment.TaskPointer{Rule: true, Name: env.Project + "_rule_*_" + env.Name}
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

// startRolePattern returns the pattern of the conventional names of roles that start tasks.
func startRolePattern(env *environment.Environment, suffix string) string {
	return env.Project + "_scheduler_*_" + suffix + "_" + env.Name
}

// shortRoles returns ARNs of roles that start tasks with a name pattern in the place of the
// conventional ones.
func shortRoles(env *environment.Environment, all []string, suffix string) (short []string) {
	pattern := startRolePattern(env, suffix)
	before, after, _ := strings.Cut(pattern, "*")
	for _, arn := range all {
		account, name, _ := strings.Cut(arn, ":role/")
		if strings.HasPrefix(name, before) && strings.HasSuffix(name, after) {
			name = pattern
		}
		short = add(short, account+":role/"+name)
	}
	return short
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

// patternsFor are the lists in whose place patterns are used, from the least that these may
// allow to the most: reading images of a neighbour (i), registering revisions in its families
// (f), moving its schedules (s) or the targets of its rules (t), and passing its tasks' roles
// (r) or those that start its tasks (p). The Terraform module has the same.
var patternsFor = []string{"", "i", "f", "if", "is", "ifs", "ift", "ifst", "ir", "ifr", "ifsr", "ifstr", "ifstrp"}

// fit replaces lists by patterns until the others are within the limits. The template has the
// patterns of those that it empties. The error says that the rest does not fit either.
func (r *resources) fit(p policySize, file string) error {
	all := *r
	for _, kinds := range patternsFor {
		*r = all
		for _, kind := range kinds {
			switch kind {
			case 'i':
				r.repositories = nil
			case 'f':
				r.families = nil
			case 's':
				r.schedules = r.shortSchedules
			case 't':
				r.rules = r.shortRules
			case 'r':
				r.roles = nil
			case 'p':
				r.scheduleRoles, r.ruleRoles = r.shortStartRoles[0], r.shortStartRoles[1]
			}
		}
		long := slices.ContainsFunc(
			[][]string{r.repositories, r.families, r.schedules, r.rules, r.roles, r.scheduleRoles, r.ruleRoles},
			func(list []string) bool { return len(strings.Join(list, ",")) > maxParameter })
		if !long && p.of(r) <= maxPolicies {
			return r.checkParameters(file)
		}
	}
	return fmt.Errorf("the policy of the deployer's role would have %d characters, and IAM accepts %d: %s has too "+
		"many "+
		"tasks, or names of its own (give some of the workloads an environment of their "+
		"own)", p.of(r), maxPolicies, file)
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
		{"FamilyArns", join(r.families)}, {"RoleArns", join(r.roles)}, {"RepositoryArns", join(r.repositories)},
		{"ExtraFamilyArns", join(r.extraFamilies)}, {"ExtraRepositoryArns", join(r.extraRepositories)},
		{"ScheduleArns", join(r.schedules)}, {"ScheduleRoleArns", join(r.scheduleRoles)},
		{"RuleArns", join(r.rules)}, {"RuleRoleArns", join(r.ruleRoles)},
	}
}

// Patterns returns a sentence about the name patterns that the role uses because the ARNs of
// the environment's resources do not fit into its policy; "" if all fit.
func Patterns(env *environment.Environment, parameters []Parameter) string {
	r, err := roleResources(env)
	if err != nil {
		return ""
	}
	deployable := 0
	for _, w := range env.Workloads {
		if w.Deployable() {
			deployable++
		}
	}
	var patterns []string
	for _, p := range parameters {
		switch empty := p.Value == ""; {
		case p.Name == "FamilyArns" && empty && len(r.families) > 0:
			patterns = append(patterns, "families PROJECT_service_ENV and PROJECT_service_*_ENV")
		case p.Name == "RoleArns" && empty && len(r.roles) > 0:
			patterns = append(patterns, "roles PROJECT_*_task_ENV and PROJECT_*_task_execution_ENV")
		case p.Name == "RepositoryArns" && empty && len(r.repositories) > 0:
			patterns = append(patterns, "repositories PROJECT_*")
		case p.Name == "ScheduleArns" && p.Value != strings.Join(r.schedules, ","):
			patterns = append(patterns, "schedules "+schedulePattern(env).Name)
		case p.Name == "RuleArns" && p.Value != strings.Join(r.rules, ","):
			patterns = append(patterns, "rules "+rulePattern(env).Name)
		case p.Name == "ScheduleRoleArns" && p.Value != strings.Join(r.scheduleRoles, ","):
			patterns = append(patterns, "roles "+startRolePattern(env, "role"))
		case p.Name == "RuleRoleArns" && p.Value != strings.Join(r.ruleRoles, ","):
			patterns = append(patterns, "roles "+startRolePattern(env, "task_execution"))
		default:
			continue
		}
		patterns[len(patterns)-1] += " (" + p.Name + ")"
	}
	if len(patterns) == 0 {
		return ""
	}
	used := strings.NewReplacer("PROJECT", env.Project, "ENV", env.Name).Replace(strings.Join(patterns, "; "))
	return fmt.Sprintf("the ARNs of %d workloads do not fit into the policy of the deployer's role. It uses name "+
		"patterns for some, which can match a neighbour's resources too: %s", deployable, used)
}
