package cli

import "deployer/internal/environment"

// nextSteps returns the commands that install the environment.
func nextSteps(env *environment.Environment) (steps []string) {
	steps = append(steps, "deployer validate "+env.File)
	if env.Strategy.Name == environment.Local {
		steps = append(steps, "deployer params -f "+env.File+
			" --registry > registry.json   # its repositories; prints the next command")
	} else {
		steps = append(steps, "deployer policy repository -f "+env.File+
			"   # for the registry's account: let this one pull")
	}
	return append(steps,
		"make deploy env="+env.Name+"   # in a checkout, with credentials of account "+env.AccountID,
		"deployer doctor -f "+env.File)
}
