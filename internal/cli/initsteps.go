package cli

import (
	"path/filepath"
	"slices"

	"deployer/internal/environment"
	"deployer/internal/shell"
)

// nextSteps returns the commands that install the environment.
func nextSteps(env *environment.Environment) (steps []string) {
	steps = append(steps, shell.Command("validate", env.File))
	if env.Strategy.Name == environment.Local {
		steps = append(steps, shell.Command("params", "-f", env.File)+
			" --registry > registry.json   # its repositories; prints the next command")
	} else {
		steps = append(steps, shell.Command("policy", "repository", "-f", env.File)+
			"   # for the registry's account: let this one pull")
	}
	deploy := "make deploy env=" + env.Name
	if !foundByMake(env) {
		deploy += " env_file=" + shell.Quote(env.File)
	}
	return append(steps, deploy+"   # in a checkout, with credentials of account "+env.AccountID,
		shell.Command("doctor", "-f", env.File))
}

// foundByMake reports whether `make deploy` finds the environment's file by itself.
func foundByMake(env *environment.Environment) bool {
	return slices.ContainsFunc(extensions, func(extension string) bool {
		name := env.Name + extension
		return env.File == name || env.File == filepath.Join(projectDir, name)
	})
}
