// Command raw deploys an image with the fewest calls, as plain HTTP requests with the SDK's signature and without its
// clients. It checks nothing, and does not know of other deployers: no Go program deploys sooner. `make bench` compares
// the deployer with it.
//
// With AWS_LAMBDA_RUNTIME_API it is a Lambda function that deploys once for each event, otherwise a command that
// deploys once. What it deploys is in the environment: FLOOR_REGISTRY, FLOOR_REPOSITORY, FLOOR_TAG, FLOOR_CLUSTER,
// FLOOR_SERVICE and FLOOR_FAMILY.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	ctx := context.Background()
	api := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	if api == "" {
		if err := deploy(ctx); err != nil {
			log.Fatal(err)
		}
		return
	}
	for {
		if err := handle(ctx, "http://"+api+"/2018-06-01/runtime/invocation/"); err != nil {
			log.Fatal(err)
		}
	}
}

// handle waits for one event, deploys, and answers.
func handle(ctx context.Context, invocation string) error {
	next, err := http.Get(invocation + "next")
	if err != nil {
		return err
	}
	defer next.Body.Close()
	if _, err := io.Copy(io.Discard, next.Body); err != nil {
		return err
	}
	result, answer := "response", "null"
	if err := deploy(ctx); err != nil {
		result, answer = "error", fmt.Sprintf("{\"errorMessage\":%q}", err)
	}
	url := invocation + next.Header.Get("Lambda-Runtime-Aws-Request-Id") + "/" + result
	response, err := http.Post(url, "application/json", strings.NewReader(answer))
	if err != nil {
		return err
	}
	return response.Body.Close()
}
