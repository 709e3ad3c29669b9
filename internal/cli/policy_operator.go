package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/access"
	"deployer/internal/environment"
)

// actionInHelp matches an IAM action in the permissions of a command's help.
var actionInHelp = regexp.MustCompile(`[a-z]+:[A-Za-z]+`)

// operator returns the policy of people who run the named commands, or all that call AWS
// with the credentials of the environment's account.
func (a *app) operator(env *environment.Environment, commands []*cobra.Command, names []string) (access.Policy, error) {
	var needs []access.Need
	var known []string
	for _, cmd := range commands {
		actions := actionsOf(cmd)
		if len(actions) == 0 || cmd.Name() == "promote" {
			continue
		}
		known = append(known, cmd.Name())
		if len(names) == 0 || slices.Contains(names, cmd.Name()) {
			needs = append(needs, access.Need{Command: cmd.Name(), Actions: actions})
		}
	}
	for _, name := range names {
		switch {
		case name == "promote":
			return access.Policy{}, &usageError{ownPolicy, promotionPolicy(env)}
		case !slices.Contains(known, name):
			return access.Policy{}, a.unlike(fmt.Sprintf("there is no command %q that needs permissions: choose of %s",
				name, listed(known)), name, known)
		}
	}
	part := ""
	if len(names) > 0 {
		part = names[0]
	}
	policy, err := access.Operator(env, part, needs)
	if err == nil && len(names) == 0 {
		policy.Notes = append(policy.Notes, ownPolicy+"; its --follow needs what send needs: "+promotionPolicy(env))
	}
	return policy, err
}

// actionsOf returns the IAM actions that a command needs.
func actionsOf(cmd *cobra.Command) (actions []string) {
	for _, line := range permissionsOf(cmd) {
		listed, _, _ := strings.Cut(line, " (") // a note may name other actions
		actions = append(actions, actionInHelp.FindAllString(listed, -1)...)
	}
	return actions
}

// completeOperated completes a list with commas of the commands that an operator's policy can allow.
func completeOperated(cmd *cobra.Command, _ []string, begun string) (names []string, _ cobra.ShellCompDirective) {
	list := begun[:strings.LastIndexByte(begun, ',')+1] // the names before the last comma
	for _, one := range cmd.Root().Commands() {
		given := slices.Contains(strings.Split(list, ","), one.Name())
		if !given && one.Name() != "promote" && len(actionsOf(one)) > 0 {
			names = append(names, list+one.Name())
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

const ownPolicy = "promote has a policy of its own, because it reads another environment's registry"

// promotionPolicy returns the command that prints the policy for promotions to an environment, from one whose file is
// beside its file.
func promotionPolicy(env *environment.Environment) string {
	for _, other := range neighbours(env.File) {
		switch {
		case other.Name == env.Name || other.Project != env.Project:
		case env.ByName:
			return env.Command("policy promote", "--from", other.Name)
		default:
			return env.Command("policy promote", "--from", other.File)
		}
	}
	return env.Command("policy promote")
}
