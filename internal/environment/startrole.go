package environment

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/image"
)

// maxRoleName is the number of characters that IAM allows in a role's name (IAM API
// reference, "CreateRole").
const maxRoleName = 64

// RoleNames are names of roles, each with its path, separated by commas, which none of
// them may contain. It is not a slice, so that workloads can be compared.
type RoleNames string

// StartRoles returns the ARNs of the roles that start the environment's tasks, each once:
// those that schedules have, and those that targets of rules have. By convention, each
// schedule has a role of its own, and a rule's target the task's execution role. An account
// that the file does not name is "*".
func (e *Environment) StartRoles() (schedules, rules []string) {
	for _, w := range e.Workloads {
		for _, p := range w.Pointers.All() {
			list := &schedules
			if p.Rule {
				list = &rules
			}
			for _, name := range e.startRoles(w, p) {
				if arn := e.roleARN(name); !slices.Contains(*list, arn) {
					*list = append(*list, arn)
				}
			}
		}
	}
	return schedules, rules
}

// startRoles returns the roles of one pointer: those of the key `start_role`, or the
// conventional one. A conventional name that is too long for IAM is left out: it is not what
// the infrastructure made.
func (e *Environment) startRoles(w Workload, p TaskPointer) []string {
	if w.StartRoles != "" {
		return strings.Split(string(w.StartRoles), ",")
	}
	name := e.Project + "_scheduler_" + w.Name + "_role_" + e.Name
	if p.Rule {
		name = e.Project + "_scheduler_" + w.Name + "_task_execution_" + e.Name
	}
	if len(name) > maxRoleName {
		return nil
	}
	return []string{name}
}

// roleARN returns the ARN of a role of the environment's account, "*" if the file does not
// name it.
func (e *Environment) roleARN(name string) string {
	account := e.AccountID
	if account == "" {
		account = "*"
	}
	return "arn:" + image.PartitionOf(e.Region).Name + ":iam::" + account + ":role/" + name
}

// overrideStartRoles reads the roles that start a task, if they have other names than the
// convention's.
func (s section) overrideStartRoles(e *Environment, w *Workload) {
	const key = "start_role"
	var names []string
	for _, text := range s.oneOrMore(key) {
		if name, ok := s.roleName(e, key, text); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	w.StartRoles = RoleNames(strings.Join(names, ","))
}

// roleName reads the name or the ARN of a role, and returns its path and name. It returns
// false after adding a fault.
func (s section) roleName(e *Environment, key, text string) (name string, ok bool) {
	const fix = "write the name of the role that the schedule or the rule's target has, or its ARN"
	name = text
	if fields := strings.SplitN(text, ":", 6); fields[0] == "arn" {
		rest, isRole := strings.CutPrefix(fields[len(fields)-1], "role/")
		if len(fields) < 6 || fields[2] != "iam" || !isRole {
			s.fault(key, "is "+quote(text)+", which is not the ARN of a role", fix)
			return "", false
		}
		if own := image.PartitionOf(e.Region).Name; fields[1] != own {
			s.fault(key, fmt.Sprintf("is in partition %s, and the environment in %s", fields[1], own),
				"name one of the environment's own account")
			return "", false
		}
		if e.AccountID != "" && fields[4] != e.AccountID {
			s.fault(key, fmt.Sprintf("is in account %s, and the environment in %s: a role is passed within one account",
				fields[4], e.AccountID), "name one of the environment's own account")
			return "", false
		}
		name = rest
	}
	if strings.Contains(name, ",") {
		s.fault(key, "is "+quote(text)+", and the stack's parameters cannot hold a role with a comma in its name",
			"start the task with a role that has none; several roles are a list: [a, b]")
		return "", false
	}
	last := name[strings.LastIndexByte(name, '/')+1:]
	if !only(name, upper+lower+digits+"_+=.@-/") || last == "" || len(last) > maxRoleName || name[0] == '/' ||
		strings.Contains(name, "//") {
		s.fault(key, "is "+quote(text)+", which is not the name of a role", fix)
		return "", false
	}
	return name, true
}
