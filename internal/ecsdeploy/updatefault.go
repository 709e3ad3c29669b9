package ecsdeploy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"deployer/internal/fault"
)

// updateFailed returns the fault of an UpdateService call that failed. An
// InvalidParameterException is about how the service and the revision fit together:
// the call has no other parameters.
func (s *State) updateFailed(arn string, err error) error {
	doing := s.updating(arn)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InvalidParameterException" {
		return fault.Classify(doing, err)
	}
	// "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
	message := strings.ReplaceAll(strings.ToLower(api.ErrorMessage()), "-", " ")
	hint := "the service and the revision do not fit together: compare the port names, containers and " +
		"container ports that the service's Service Connect, load balancers and registries name with the " +
		"portMappings of the revision, and its networkMode and requiresCompatibilities with the service's network " +
		"configuration and launch type, and correct either in the infrastructure: " +
		"aws ecs describe-services --region " + regionOf(arn) + " --cluster " + s.target.Cluster +
		" --services " + s.target.Service
	if strings.Contains(message, "service linked role") {
		hint = "create the role that ECS assumes in the account, once: " +
			"aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"
	}
	return fault.Misconfigured("InvalidParameter", doing, fault.Plain(err), hint)
}

// updating returns the operation of moving the service to a revision, for faults.
func (s *State) updating(arn string) string {
	return fmt.Sprintf("moving service %q in cluster %q to %q", s.target.Service, s.target.Cluster, arn)
}

// regionOf returns the region in an ARN.
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}
