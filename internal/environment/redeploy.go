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

// redeployOn reads the key `redeploy_on`.
func (s section) redeployOn() (on []Trigger) {
	items, _ := s.texts("redeploy_on")
	names := make([]string, len(Triggers))
	for i, t := range Triggers {
		names[i] = string(t)
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
			s.fault("redeploy_on", "has "+quote(item)+", which is not a kind of configuration", fix)
		case slices.Contains(on, Trigger(item)):
			s.fault("redeploy_on", "has "+quote(item)+" twice", "write each kind once")
		default:
			on = append(on, Trigger(item))
		}
	}
	slices.SortFunc(on, func(a, b Trigger) int { return slices.Index(Triggers, a) - slices.Index(Triggers, b) })
	return on
}
