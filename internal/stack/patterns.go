package stack

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// patternsOf returns the name patterns of a kind: ends of ARNs, in the place of conventional names. There are none for
// the families and the task roles of tasks, and for rules. [reached] says what else they match.
func patternsOf(env *environment.Environment, kind environment.Reach) []string {
	project, name := env.Project, env.Name
	switch kind {
	case environment.ReachRepositories:
		return []string{":repository/" + project + "_service_*", ":repository/" + project + "_task_*"}
	case environment.ReachSchedules:
		return []string{
			":schedule/" + project + "-schedule-group-" + name + "-*/" + project + "-scheduler-*-" + name,
		}
	case environment.ReachRoles:
		return []string{
			":role/" + project + "_service_*_task_" + name,
			":role/" + project + "_service_*_task_execution_" + name,
			":role/" + project + "_scheduler_*_task_execution_" + name,
			":role/" + project + "_scheduler_*_role_" + name,
		}
	case environment.ReachFamilies:
		return []string{":task-definition/" + project + "_service_*_" + name + ":*"}
	}
	return nil
}

// reached says what the patterns of a kind match that is not the environment's own.
func reached(env *environment.Environment, kind environment.Reach) string {
	text := map[environment.Reach]string{
		environment.ReachRepositories: "repositories of projects whose names begin with %[1]s_service or %[1]s_task",
		environment.ReachSchedules:    "schedules of environments whose names begin with %[2]s- and end with -%[2]s",
		environment.ReachRoles: "roles of projects whose names begin with %[1]s_service or %[1]s_scheduler, and of " +
			"environments whose names end with task_%[2]s, execution_%[2]s or role_%[2]s",
		environment.ReachFamilies: "families of projects whose names begin with %[1]s_service, and of environments " +
			"whose names end with _%[2]s",
	}[kind]
	return fmt.Sprintf(text, env.Project, env.Name)
}

// withPatterns returns everything with the patterns of some kinds in the place of the names that they match.
func withPatterns(env *environment.Environment, all everything, kinds []environment.Reach) everything {
	for _, kind := range kinds {
		list := map[environment.Reach]*[]string{
			environment.ReachRepositories: &all.repositories, environment.ReachSchedules: &all.schedules,
			environment.ReachRoles: &all.roles, environment.ReachFamilies: &all.families,
		}[kind]
		*list = replace(*list, patternsOf(env, kind))
	}
	return all
}

// replace returns the ARNs with the pattern of the end of an ARN that it matches in its place.
func replace(arns, patterns []string) (short []string) {
	for _, arn := range arns {
		parts := strings.SplitN(arn, ":", 6)
		for _, pattern := range patterns {
			if matches(strings.Split(pattern, "*"), ":"+parts[5]) {
				parts[5] = pattern[1:]
				break
			}
		}
		short = append(short, strings.Join(parts, ":"))
	}
	return distinct(short)
}

// matches reports whether a text has parts in this order, with any others between them.
func matches(parts []string, text string) bool {
	last := len(parts) - 1
	for i, part := range parts {
		switch at := strings.Index(text, part); {
		case i == last:
			return strings.HasSuffix(text, part)
		case at < 0, i == 0 && at > 0:
			return false
		default:
			text = text[at+len(part):]
		}
	}
	return false
}

// neededPatterns returns the kinds that an environment has to accept beside those that it accepts, so that everything
// fits: as few as possible, and those that reach least. It returns nil if even all of them are not enough.
func neededPatterns(env *environment.Environment, fits func([]environment.Reach) bool) (needed []environment.Reach) {
	accepted := slices.Clone(env.RolePatterns)
	for _, kind := range environment.Reaches {
		if !slices.Contains(accepted, kind) {
			needed = append(needed, kind)
		}
		if !fits(slices.Concat(accepted, needed)) {
			continue
		}
		for _, kind := range slices.Clone(needed) {
			rest := slices.DeleteFunc(slices.Clone(needed), func(k environment.Reach) bool { return k == kind })
			if fits(slices.Concat(accepted, rest)) {
				needed = rest
			}
		}
		return needed
	}
	return nil
}

// Patterns returns a sentence about the name patterns that the role uses because the ARNs of
// the environment's resources do not fit into its policies, and what else they match; "" if all fit.
func Patterns(env *environment.Environment, parameters []Parameter) string {
	var patterns, also []string
	for arn := range strings.FieldsFuncSeq(resourceText(parameters), func(r rune) bool { return r == ',' }) {
		if parts := strings.SplitN(arn, ":", 6); strings.Contains(strings.TrimSuffix(parts[5], ":*"), "*") {
			patterns = append(patterns, parts[5])
		}
	}
	if len(patterns) == 0 {
		return ""
	}
	slices.Sort(patterns)
	for _, kind := range env.RolePatterns {
		if slices.ContainsFunc(patternsOf(env, kind), func(p string) bool { return slices.Contains(patterns, p[1:]) }) {
			also = append(also, reached(env, kind))
		}
	}
	return fmt.Sprintf("the names of %d workloads do not fit into the policies of the deployer's role, and "+
		"deployer.role_patterns accepts name patterns: %s. They also match %s (to have none, give some of the "+
		"workloads an environment of their own)", deployables(env), strings.Join(patterns, ", "),
		strings.Join(also, "; "))
}

// deployables returns how many workloads the function deploys.
func deployables(env *environment.Environment) (n int) {
	for _, w := range env.Workloads {
		if w.Deployable() {
			n++
		}
	}
	return n
}
