package stack

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// shorten returns everything with name patterns in the place of conventional names. These patterns match no other
// environment, and no other project, unless its name begins with PROJECT_service, PROJECT_task or PROJECT_scheduler.
// There is none like that of families and rules, and of task roles of tasks. The last resort is the second result,
// which has a pattern of families, too: it matches those of environments whose names end with _ENV.
func shorten(env *environment.Environment, all everything) (short, shortest everything) {
	project, name := env.Project, env.Name
	all.roles = replace(all.roles, []string{
		":role/" + project + "_service_*_task_" + name,
		":role/" + project + "_service_*_task_execution_" + name,
		":role/" + project + "_scheduler_*_task_execution_" + name,
		":role/" + project + "_scheduler_*_role_" + name,
	})
	all.repositories = replace(all.repositories, []string{
		":repository/" + project + "_service_*", ":repository/" + project + "_task_*",
	})
	all.schedules = replace(all.schedules, []string{
		":schedule/" + project + "-schedule-group-" + name + "-*/" + project + "-scheduler-*-" + name,
	})
	shortest = all
	shortest.families = replace(all.families, []string{":task-definition/" + project + "_service_*_" + name + ":*"})
	return all, shortest
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
		short = add(short, strings.Join(parts, ":"))
	}
	return short
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

// Patterns returns a sentence about the name patterns that the role uses because the ARNs of
// the environment's resources do not fit into its policies; "" if all fit.
func Patterns(env *environment.Environment, parameters []Parameter) string {
	var patterns []string
	for arn := range strings.FieldsFuncSeq(resourceText(parameters), func(r rune) bool { return r == ',' }) {
		if parts := strings.SplitN(arn, ":", 6); strings.Contains(strings.TrimSuffix(parts[5], ":*"), "*") {
			patterns = append(patterns, parts[5])
		}
	}
	if len(patterns) == 0 {
		return ""
	}
	slices.Sort(patterns)
	deployable, environments := 0, ""
	for _, w := range env.Workloads {
		if w.Deployable() {
			deployable++
		}
	}
	if slices.ContainsFunc(patterns, func(p string) bool { return strings.HasPrefix(p, "task-definition/") }) {
		environments = ", and an environment whose name ends with _" + env.Name
	}
	return fmt.Sprintf("the ARNs of %d workloads do not fit into the policies of the deployer's role. It uses name "+
		"patterns for some, which also match a project whose name begins with %[2]s_service, %[2]s_task or "+
		"%[2]s_scheduler%[3]s: %[4]s (to have none, give some of the workloads an environment of their own)",
		deployable, env.Project, environments, strings.Join(patterns, ", "))
}
