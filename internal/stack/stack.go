// Package stack derives the parameters of the deployer's own stack,
// deploy/template.yaml, and of the stack of the images' repositories,
// deploy/registry.yaml, from an environment file. It is pure.
package stack

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// Parameter is a parameter of a template. Its value has no white space and no quotes, but for that of LifecyclePolicy.
type Parameter struct{ Name, Value string }

// chosen are the parameters that the environment file does not decide, with the
// template's defaults.
var chosen = []Parameter{
	{"SenderAccounts", ""}, {"ReconcileMinutes", "15"}, {"ForwardPushesTo", ""}, {"ExtraRoleArns", ""},
	{"KmsKeyArns", ""}, {"ReservedConcurrency", ""}, {"AlarmTopicArn", ""}, {"FollowFirstRuns", "false"},
}

// The characters that Project and Env may have in the template.
const maxProject, maxEnv = 30, 14

// Name returns the conventional name of an environment's stack.
func Name(env *environment.Environment) string {
	return strings.ReplaceAll(env.Project+"-deployer-"+env.Name, "_", "-")
}

// Parameters returns every parameter of the template, because `sam deploy` keeps the
// previous value of one that is left out. Those that follow from the environment file
// come first, then those that it decides at most by default: more holds NAME=VALUE for these, and
// NAME= for the template's default. The error is a [SettingError] for a setting, a
// [TooLargeError], or names the key that the file lacks.
func Parameters(env *environment.Environment, more ...string) ([]Parameter, error) {
	if len(env.Project) > maxProject || len(env.Name) > maxEnv {
		return nil, fmt.Errorf("`project` of %s has %d characters and `env` %d: the names of the stack's rules and "+
			"roles allow %d and %d (choose shorter ones)",
			env.File, len(env.Project), len(env.Name), maxProject, maxEnv)
	}
	autoDeploy := "disabled"
	if !env.AutoDeploy.IsEmpty() && slices.ContainsFunc(env.Workloads, environment.Workload.DeploysOnPush) {
		autoDeploy = "enabled"
	}
	all := []Parameter{
		{"Project", env.Project}, {"Env", env.Name},
		{"EcrAccountId", ""}, {"EcrAccountRegion", ""},
		{"DeploySources", strings.Join(env.DeploySources, ",")},
		{"AutoDeploy", autoDeploy},
		{"ClusterName", env.Cluster},
		{"RedeployOn", redeployOn(env)},
	}
	if env.Strategy.Name == environment.CrossAccount {
		all[2].Value, all[3].Value = env.ECRAccountID, env.ECRAccountRegion
	}
	r, err := roleResources(env)
	if err != nil {
		return nil, err
	}
	settings, err := choose(append([]string{forwarding + strings.Join(forwards(env), ",")}, more...), env.File)
	if err != nil {
		return nil, err
	}
	if err := checkForwarding(env, settings); err != nil {
		return nil, err
	}
	if err := checkSettings(settings); err != nil {
		return nil, err
	}
	all = append(all, extraRegistries(env)...)
	i := slices.IndexFunc(settings, func(p Parameter) bool { return p.Name == "ExtraRoleArns" })
	r.extraRoles = settings[i].Value
	notify := []Parameter{{"SlackParameter", env.Notify.Slack}, {"NotifyTopicArn", env.Notify.Topic}}
	if err := r.fit(env, sizeOf(env, slices.Concat(notify, settings))); err != nil {
		return nil, err
	}
	return slices.Concat(all, r.parameters(), notify, settings), nil
}

// redeployOn returns the kinds of configuration whose changes redeploy services.
func redeployOn(env *environment.Environment) string {
	kinds := make([]string, len(env.RedeployOn))
	for i, t := range env.RedeployOn {
		kinds[i] = string(t)
	}
	return strings.Join(kinds, ",")
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
			what := fmt.Sprintf("reading %q: not NAME=VALUE for one of %s; the others follow from %s", setting,
				strings.Join(names, ", "), file)
			return nil, &SettingError{what, setting, names}
		}
		all[i].Value = value
		if value == "" {
			all[i].Value = chosen[i].Value
		}
	}
	return all, nil
}
