// Command empty is a Lambda function with the SDK's clients for ECS and ECR that handles no event: the shortest cold
// start that a function with these clients has. `make bench` compares the deployer with it.
package main

import (
	"context"
	"errors"
	"log"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// handler implements [lambda.Handler].
type handler struct {
	ecs *ecs.Client
	ecr *ecr.Client
}

// Invoke answers every event with null.
func (h handler) Invoke(context.Context, []byte) ([]byte, error) {
	if h.ecs == nil || h.ecr == nil {
		return nil, errors.New("there is no client")
	}
	return []byte("null"), nil
}

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(handler{ecs.NewFromConfig(c), ecr.NewFromConfig(c)})
}
