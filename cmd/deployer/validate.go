package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"deployer/internal/environment"
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

// release is set by the build that makes a release.
var release = "dev"

// version is `deployer version`.
func (c *cli) version() error {
	if _, err := c.parse(); err != nil {
		return err
	}
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	fmt.Fprintf(c.out, "deployer %s%s (%s %s/%s)\n", release, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
