package stack

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// TooLargeError says that the role of an environment's function would need more than IAM accepts.
type TooLargeError struct {
	What string
	Fix  string // what to do about it
}

func (e *TooLargeError) Error() string { return e.What + " (" + e.Fix + ")" }

// tooLarge returns the error for an environment whose names need more policies than a role may have.
func (r *resources) tooLarge(env *environment.Environment, p policySize) error {
	fix := "give some of the workloads an environment of their own"
	needed := neededPatterns(env, func(kinds []environment.Reach) bool {
		return len(p.pack(withPatterns(env, r.all, kinds), r.extraRoles)) <= maxPolicies
	})
	if len(needed) > 0 {
		var names, also []string
		for _, kind := range environment.Reaches {
			isNeeded := slices.Contains(needed, kind)
			if isNeeded {
				also = append(also, reached(env, kind))
			}
			if isNeeded || slices.Contains(env.RolePatterns, kind) {
				names = append(names, string(kind))
			}
		}
		fix += fmt.Sprintf("; or accept name patterns: write `role_patterns: [%s]` below `deployer` in %s, and the "+
			"role also reaches %s", strings.Join(names, ", "), env.File, strings.Join(also, "; "))
	}
	return &TooLargeError{fmt.Sprintf("the names of %d workloads do not fit into the policies of the deployer's role: "+
		"it would need %d managed policies, and IAM accepts %d", deployables(env), len(r.policies), maxPolicies), fix}
}
