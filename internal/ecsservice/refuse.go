package ecsservice

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// Refuse returns why a service cannot be deployed to, nil if it can: it has to
// be ACTIVE, with the deployment controller ECS. The error is a
// [fault.Misconfiguration] that says what to do instead.
func (t Target) Refuse(s *types.Service) error {
	f := fault.Fault{Doing: t.describing()}
	if status := aws.ToString(s.Status); status != "ACTIVE" {
		f.Name, f.Err = "ServiceNotActive", fmt.Errorf("the service is %s, not ACTIVE", status)
		f.Hint = "it was deleted: create it again with the infrastructure, or take it out of the environment file"
		return &fault.Misconfiguration{Fault: f}
	}
	controller := types.DeploymentControllerTypeEcs
	if s.DeploymentController != nil {
		controller = s.DeploymentController.Type
	}
	f.Name, f.Err = "ControllerNotECS", fmt.Errorf("its deployment controller is %s, and UpdateService cannot change the task definition then", controller)
	switch controller {
	case types.DeploymentControllerTypeEcs:
		return nil
	case types.DeploymentControllerTypeCodeDeploy:
		f.Hint = "deploy it with AWS CodeDeploy (aws deploy create-deployment), or change its controller to ECS, which does blue/green too"
	default:
		f.Hint = "deploy it with the tool that owns its task sets, or create the service again with the ECS controller"
	}
	return &fault.Misconfiguration{Fault: f}
}
