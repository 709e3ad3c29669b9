package cli

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

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

// unanswered is the error for an input that ended before the answer to a question. It names the flags of all that lack
// an answer. Its hint is the command line with typed answers and defaults as flags, if each question has one.
func (a *app) unanswered(
	question int, given map[string]*string, answers map[string]string, neighbors []*environment.Environment,
) error {
	var missing []string
	hint, isWhole, known := slices.Clone(a.args), true, maps.Clone(answers)
	for i, q := range questions {
		if *given[q.name] != "" {
			known[q.name] = *given[q.name]
			continue
		}
		if i >= question {
			missing = append(missing, "--"+q.name)
			known[q.name] = defaultOf(q.name, known, neighbors)
		}
		hint = append(hint, "--"+q.name, known[q.name])
		isWhole = isWhole && known[q.name] != ""
	}
	e := &usageError{what: "there is no answer: type it, or give " + strings.Join(missing, ", ")}
	if isWhole {
		e.hint = commandLine(hint...)
	}
	return e
}
