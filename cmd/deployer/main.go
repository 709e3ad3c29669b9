// Command deployer turns EventBridge events into Amazon ECS deployments. One
// source builds two binaries: the Lambda function's bootstrap (with the build
// tag function), and the command line, which can be the function too.
package main

import (
	"os"

	"deployer/internal/function"
)

func main() {
	api := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	if api != "" && len(os.Args) == 1 {
		os.Exit(function.Serve(api))
	}
	os.Exit(commandLine(os.Args[1:]))
}
