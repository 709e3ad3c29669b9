//go:build function

package main

import (
	"fmt"
	"os"
)

// commandLine reports that the function's build has no command line.
func commandLine([]string) (exit int) {
	fmt.Fprintln(os.Stderr, "deployer: error: this binary is the Lambda function; "+
		"make build builds the command line, bin/deployer")
	return 2
}
