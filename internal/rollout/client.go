package rollout

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/ecsservice"
)

// controller is the part of the ECS API that controls service deployments.
type controller interface {
	ContinueServiceDeployment(
		context.Context, *ecs.ContinueServiceDeploymentInput, ...func(*ecs.Options),
	) (*ecs.ContinueServiceDeploymentOutput, error)
	StopServiceDeployment(
		context.Context, *ecs.StopServiceDeploymentInput, ...func(*ecs.Options),
	) (*ecs.StopServiceDeploymentOutput, error)
}

// Client shows and controls rollouts. It is safe for concurrent use.
type Client struct {
	services *ecsservice.Client
	ecs      controller
	now      func() time.Time
}

// New returns a client that calls ECS through services.
func New(services *ecsservice.Client) *Client {
	return &Client{services: services, ecs: services.SDK(), now: time.Now}
}
