package cli

import (
	"errors"
	"fmt"
	"runtime"

	"deployer/internal/environment"
	"deployer/internal/version"
)

// validate is `deployer validate`: every fault of every file.
func (c *cli) validate() error {
	files, err := c.parse("FILE...")
	if err != nil {
		return err
	}
	var faults environment.Faults
	var failed error
	for _, file := range files {
		env, err := environment.Load(file)
		switch {
		case errors.As(err, &faults):
			fmt.Fprintln(c.out, faults)
		case err != nil:
			complain(c.err, err)
		default:
			for _, w := range env.Warnings {
				fmt.Fprintln(c.out, w)
			}
			registry := env.Registry().String()
			if env.Registry().AccountID == "" {
				registry = "its own account in " + env.Region
			}
			fmt.Fprintf(c.out, "%s: ok: %s, with images of %s (%s: %s)\n", file, env.Name, registry, env.Strategy.Name, env.Strategy.Why)
			continue
		}
		failed = errNotDone
	}
	return failed
}

// version is `deployer version`.
func (c *cli) version() error {
	if _, err := c.parse(); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "deployer %s (%s %s/%s)\n", version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
