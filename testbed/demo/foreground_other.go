//go:build !unix

package main

// inForeground runs this program again with a further argument, and returns its exit code.
func inForeground(argument string) (exit int, err error) {
	child, err := again(argument)
	if err != nil {
		return 0, err
	}
	if err := child.Run(); child.ProcessState == nil {
		return 0, err
	}
	return child.ProcessState.ExitCode(), nil
}
