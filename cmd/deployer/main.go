// Command deployer turns EventBridge events into Amazon ECS deployments. One
// binary is both the Lambda function's bootstrap and a command line for people.
package main

import (
	"os"
)

func main() {
	args := os.Args[1:]
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" && len(args) == 0 {
		os.Exit(serve(api))
	}
	os.Exit(command(args, os.Stdout, os.Stderr))
}
