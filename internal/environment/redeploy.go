package environment

import (
	"slices"
	"strings"
)

// Trigger is a kind of configuration outside the task definition. When it changes, services
// that refer to it can be redeployed.
type Trigger string

// The triggers.
const (
	Parameters Trigger = "parameters" // of Parameter Store
	Secrets    Trigger = "secrets"    // of Secrets Manager
	EnvFiles   Trigger = "env_files"  // environment files in S3
)

// Triggers are all triggers, in the order of the documentation.
var Triggers = []Trigger{Parameters, Secrets, EnvFiles}

// RedeploysOn reports whether a change of a kind redeploys the services that refer to what
// changed.
func (e *Environment) RedeploysOn(t Trigger) bool { return slices.Contains(e.RedeployOn, t) }

// kinds reads a list of kinds, each of which is one of all, and returns them in the order of all.
func kinds[T ~string](s section, key, what string, all []T) (chosen []T) {
	items, _ := s.texts(key)
	names := make([]string, len(all))
	for i, kind := range all {
		names[i] = string(kind)
	}
	for _, item := range items {
		switch {
		case !slices.Contains(names, item):
			fix, plain := "write any of "+strings.Join(names, ", "), strings.ReplaceAll(strings.ToLower(item), "-", "_")
			near := Nearest(plain, names)
			if slices.Contains(names, plain) {
				near = plain
			}
			if near != "" {
				fix = "did you mean " + near + "?"
			}
			s.fault(key, "has "+quote(item)+", which is not "+what, fix)
		case slices.Contains(chosen, T(item)):
			s.fault(key, "has "+quote(item)+" twice", "write each kind once")
		default:
			chosen = append(chosen, T(item))
		}
	}
	slices.SortFunc(chosen, func(a, b T) int { return slices.Index(all, a) - slices.Index(all, b) })
	return chosen
}
