package environment

import (
	"slices"
	"strings"

	"deployer/internal/shell"
)

// Command returns a command of the deployer for the environment, to be printed: of one or
// more words, such as "policy lifecycle". It names the environment's file, or its name if the
// person who runs a command named it so.
func (e *Environment) Command(name string, args ...string) string {
	return CommandFor(e.ByName, e.Name, e.File, name, args...)
}

// CommandFor is [Environment.Command] for what has only the environment's names.
func CommandFor(byName bool, env, file, name string, args ...string) string {
	named := []string{"-f", file}
	if byName {
		named = []string{"-e", env}
	}
	return shell.Command(slices.Concat(strings.Fields(name), named, args)...)
}
