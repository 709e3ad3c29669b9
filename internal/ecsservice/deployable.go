package ecsservice

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// CheckDeployable returns why a service cannot be deployed to, nil if it can: it
// must be ACTIVE, with the deployment controller ECS. The error is a
// [fault.Misconfiguration] whose hint is an alternative.
func (t Target) CheckDeployable(s *types.Service) error {
	if status := aws.ToString(s.Status); status != "ACTIVE" {
		return fault.Misconfigured(fault.ErrServiceNotActive, t.describing(),
			fmt.Errorf("the service is %s, not ACTIVE", status),
			"it was deleted: create it again with the infrastructure, or remove it from "+t.File)
	}
	controller := types.DeploymentControllerTypeEcs
	if s.DeploymentController != nil && s.DeploymentController.Type != "" {
		controller = s.DeploymentController.Type
	}
	hint := "deploy it with the tool that owns its task sets, or create the service again with the ECS controller"
	switch controller {
	case types.DeploymentControllerTypeEcs:
		return nil
	case types.DeploymentControllerTypeCodeDeploy:
		hint = "deploy it with AWS CodeDeploy (aws deploy create-deployment), " +
			"or change its controller to ECS, which supports blue/green deployments too"
	}
	return fault.Misconfigured(fault.ErrControllerNotECS, t.describing(),
		fmt.Errorf("its deployment controller is %s, and UpdateService only changes the task definition for ECS",
			controller), hint)
}
