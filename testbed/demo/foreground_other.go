//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// inForeground runs this program again with a further argument, and returns its exit code.
func inForeground(argument string) (exit int, err error) {
	path, err := os.Executable()
	if err != nil {
		return 0, err
	}
	child := exec.Command(path, append([]string{argument}, os.Args[1:]...)...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := child.Run(); child.ProcessState == nil {
		return 0, err
	}
	return child.ProcessState.ExitCode(), nil
}
