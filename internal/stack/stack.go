// Package stack derives the parameters of the deployer's own stack,
// deploy/template.yaml, from an environment file. It is pure.
package stack

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// Parameter is a parameter of the template. Its value has no white space and no quotes.
type Parameter struct{ Name, Value string }

// chosen are the parameters that the environment file does not decide, with the
// template's defaults.
var chosen = []Parameter{
	{"SenderAccounts", ""}, {"ReconcileMinutes", "15"}, {"ForwardPushesTo", ""}, {"ExtraRoleArns", ""},
	{"AlarmTopicArn", ""},
}

// Name returns the conventional name of an environment's stack.
func Name(env *environment.Environment) string {
	return strings.ReplaceAll(env.Project+"-deployer-"+env.Name, "_", "-")
}

// Parameters returns every parameter of the template, because `sam deploy` keeps the
// previous value of one that is left out. Those that follow from the environment file
// come first, then those that it decides at most by default: more holds NAME=VALUE for these, and
// NAME= for the template's default. The error names the setting that is invalid, or
// the key that the file lacks.
func Parameters(env *environment.Environment, more ...string) ([]Parameter, error) {
	autoDeploy := "disabled"
	if !env.AutoDeploy.IsEmpty() && slices.ContainsFunc(env.Workloads, environment.Workload.Deploys) {
		autoDeploy = "enabled"
	}
	all := []Parameter{
		{"Project", env.Project}, {"Env", env.Name},
		{"EcrAccountId", ""}, {"EcrAccountRegion", ""},
		{"DeploySources", strings.Join(env.DeploySources, ",")},
		{"AutoDeploy", autoDeploy},
		{"ClusterName", env.Cluster},
	}
	if env.Strategy.Name == environment.CrossAccount {
		all[2].Value, all[3].Value = env.ECRAccountID, env.ECRAccountRegion
	}
	families, err := extraFamilies(env)
	if err != nil {
		return nil, err
	}
	repositories, err := extraRepositories(env)
	if err != nil {
		return nil, err
	}
	all = append(all, Parameter{"ExtraFamilyArns", families}, Parameter{"ExtraRepositoryArns", repositories},
		Parameter{"SlackParameter", env.Notify.Slack}, Parameter{"NotifyTopicArn", env.Notify.Topic})
	settings, err := choose(append([]string{forwarding + forwards(env)}, more...), env.File)
	return append(all, settings...), err
}

// forwarding is the setting of the buses that receive a registry's pushes.
const forwarding = "ForwardPushesTo="

// forwards returns the default buses of ecr_trusted_accounts, which run images of the
// environment's own registry. The template accepts five.
func forwards(env *environment.Environment) string {
	var buses []string
	for _, t := range env.TrustedAccounts {
		bus := "arn:" + image.PartitionOf(t.Region).Name + ":events:" + t.Region + ":" + t.ID + ":event-bus/default"
		if env.Strategy.Name == environment.Local && t.ID != env.AccountID && !slices.Contains(buses, bus) {
			buses = append(buses, bus)
		}
	}
	return strings.Join(buses[:min(len(buses), 5)], ",")
}

// choose returns the chosen parameters with the values of settings of the form
// NAME=VALUE. An empty value is the default; of several for one name, the last counts.
func choose(settings []string, file string) ([]Parameter, error) {
	all := slices.Clone(chosen)
	for _, setting := range settings {
		name, value, ok := strings.Cut(setting, "=")
		i := slices.IndexFunc(all, func(p Parameter) bool { return p.Name == name })
		if !ok || i < 0 || strings.ContainsAny(value, " \t\r\n\"'$\\") {
			var names []string
			for _, p := range chosen {
				names = append(names, p.Name)
			}
			return nil, fmt.Errorf("reading %q: not NAME=VALUE for one of %s; the others follow from %s", setting,
				strings.Join(names, ", "), file)
		}
		if all[i].Value = value; value == "" {
			all[i].Value = chosen[i].Value
		}
	}
	return all, nil
}

var errNoAccount = errors.New(
	"the file does not name its account, and the stack needs the ARNs of resources with unconventional names (add " +
		"account_id to the file, or use --account)")

// extraFamilies returns the ARNs of families that the name patterns of the template do
// not cover.
func extraFamilies(env *environment.Environment) (string, error) {
	var arns []string
	for _, w := range env.Workloads {
		usual := w.Family == env.Project+"_service_"+env.Name ||
			strings.HasPrefix(w.Family, env.Project+"_service_") && strings.HasSuffix(w.Family, "_"+env.Name)
		if !w.Deployable() || usual {
			continue
		}
		if env.AccountID == "" {
			return "", errNoAccount
		}
		arns = append(arns, fmt.Sprintf("arn:%s:ecs:%s:%s:task-definition/%s:*", image.PartitionOf(env.Region).Name,
			env.Region, env.AccountID, w.Family))
	}
	return strings.Join(arns, ","), nil
}

// extraRepositories returns the ARNs of repositories whose name does not start with the
// project's, or that are not in the strategy's registry.
func extraRepositories(env *environment.Environment) (string, error) {
	var arns []string
	for _, w := range env.Workloads {
		registry := w.Registry
		usual := registry == env.Registry() && strings.HasPrefix(w.Repository, env.Project+"_")
		if !w.Deployable() || w.Repository == "" || usual {
			continue
		}
		if registry.AccountID == "" {
			return "", errNoAccount
		}
		if arn := registry.RepositoryARN(w.Repository); !slices.Contains(arns, arn) {
			arns = append(arns, arn)
		}
	}
	return strings.Join(arns, ","), nil
}
