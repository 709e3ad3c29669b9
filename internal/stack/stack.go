// Package stack says with which parameters the deployer's own stack,
// deploy/template.yaml, is installed for an environment, so that the
// environment file stays the one truth. It is pure.
package stack

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// Parameter is a parameter of the template and its value, which holds neither
// white space nor quotes.
type Parameter struct{ Name, Value string }

// chosen are the parameters of the template that no environment file decides:
// whoever installs the stack does.
var chosen = []string{"ReconcileMinutes", "ForwardPushesTo", "ExtraRoleArns", "AlarmTopicArn"}

// Name returns the name that the environment's stack has by convention.
func Name(env *environment.Environment) string {
	return strings.ReplaceAll(env.Project+"-deployer-"+env.Name, "_", "-")
}

// Parameters returns what the environment file says of the stack's parameters,
// in the template's order; those with an empty value are left to their default.
// More are settings of the form NAME=VALUE for the parameters that the file
// does not decide. The error says which of them is none of those, or what the
// file has to say first.
func Parameters(env *environment.Environment, more ...string) ([]Parameter, error) {
	autoDeploy := "disabled"
	if !env.AutoDeploy.IsEmpty() {
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
	all = append(all, Parameter{"ExtraFamilyArns", families})
	repositories, err := extraRepositories(env)
	if err != nil {
		return nil, err
	}
	all = append(all, Parameter{"ExtraRepositoryArns", repositories},
		Parameter{"SlackParameter", env.Notify.Slack}, Parameter{"NotifyTopicArn", env.Notify.Topic})
	for _, setting := range more {
		name, value, ok := strings.Cut(setting, "=")
		if !ok || !slices.Contains(chosen, name) || value == "" || strings.ContainsAny(value, " \t\r\n\"'$\\") {
			return nil, fmt.Errorf("reading %q: not NAME=VALUE of one of %s; what the others are, %s says", setting, strings.Join(chosen, ", "), env.File)
		}
		all = append(all, Parameter{name, value})
	}
	return slices.DeleteFunc(all, func(p Parameter) bool { return p.Value == "" }), nil
}

var errNoAccount = errors.New("the file does not say which account this is, and the stack needs the ARNs of what goes by unconventional names (add account_id to it)")

// extraFamilies lists the services' families that the template's patterns of
// names do not cover. Tasks are not deployed, and get no permission.
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
		arns = append(arns, fmt.Sprintf("arn:%s:ecs:%s:%s:task-definition/%s:*", image.PartitionOf(env.Region).Name, env.Region, env.AccountID, w.Family))
	}
	return strings.Join(arns, ","), nil
}

// extraRepositories lists the services' repositories that are not the
// project's by name, or not in the strategy's registry.
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
