//go:build !function

package main

import (
	"os"

	"deployer/internal/cli"
)

// commandLine runs a command and returns its exit code.
func commandLine(args []string) (exit int) { return cli.Run(args, os.Stdout, os.Stderr) }
