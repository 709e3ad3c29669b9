package stack

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// schedulePattern and rulePattern return the pattern of the conventional names.
func schedulePattern(env *environment.Environment) environment.TaskPointer {
	return environment.TaskPointer{Group: env.Project + "-schedule-group-" + env.Name + "-*",
		Name: env.Project + "-scheduler-*-" + env.Name}
}

func rulePattern(env *environment.Environment) environment.TaskPointer {
	return environment.TaskPointer{Rule: true, Name: env.Project + "_rule_*_" + env.Name}
}

// rolePatterns returns patterns of the conventional names of roles of services, and of execution roles of tasks.
func rolePatterns(env *environment.Environment) []string {
	return []string{env.Project + "_service_*_task_" + env.Name, env.Project + "_service_*_task_execution_" + env.Name,
		env.Project + "_scheduler_*_task_execution_" + env.Name}
}

// repositoryPatterns returns patterns of the conventional names of repositories of services and tasks.
func repositoryPatterns(env *environment.Environment) []string {
	return []string{env.Project + "_service_*", env.Project + "_task_*"}
}

// startRolePattern returns the pattern of the conventional names of roles that start tasks.
func startRolePattern(env *environment.Environment, suffix string) string {
	return env.Project + "_scheduler_*_" + suffix + "_" + env.Name
}

// shorten returns the ARN of the pattern that a name matches, which is what follows a part of its ARN; else the ARN.
func shorten(arn, part string, patterns []string) string {
	owner, name, _ := strings.Cut(arn, part)
	for _, pattern := range patterns {
		before, after, _ := strings.Cut(pattern, "*")
		if strings.HasPrefix(name, before) && strings.HasSuffix(name, after) && len(name) >= len(pattern)-1 {
			return owner + part + pattern
		}
	}
	return arn
}

// shortStarts returns ARNs of roles that start tasks with a name pattern in the place of the
// conventional ones.
func shortStarts(env *environment.Environment, all []string, suffix string) (short []string) {
	for _, arn := range all {
		short = add(short, shorten(arn, ":role/", []string{startRolePattern(env, suffix)}))
	}
	return short
}

// Patterns returns a sentence about the name patterns that the role uses because the ARNs of
// the environment's resources do not fit into its policies; "" if all fit.
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
		case p.Name == "RoleArns" && strings.Contains(p.Value, "_*_"):
			patterns = append(patterns, "roles "+strings.Join(patternsIn(p.Value, rolePatterns(env)), " and "))
		case p.Name == "RepositoryArns" && empty && len(r.repositories) > 0:
			patterns = append(patterns, "repositories PROJECT_*")
		case p.Name == "RepositoryArns" && strings.Contains(p.Value, "_*"):
			used := patternsIn(p.Value, repositoryPatterns(env))
			patterns = append(patterns, "repositories "+strings.Join(used, " and "))
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
	return fmt.Sprintf("the ARNs of %d workloads do not fit into the policies of the deployer's role. It uses name "+
		"patterns for some, which can match a neighbour's resources too: %s", deployable, used)
}

// patternsIn returns those of patterns that a list of ARNs has.
func patternsIn(list string, patterns []string) []string {
	return slices.DeleteFunc(patterns, func(pattern string) bool {
		return !slices.ContainsFunc(strings.Split(list, ","), func(arn string) bool {
			return strings.HasSuffix(arn, "/"+pattern)
		})
	})
}
