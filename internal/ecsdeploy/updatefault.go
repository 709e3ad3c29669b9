package ecsdeploy

import (
	"errors"
	"fmt"
	"slices"
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
	hint := s.updateHint(regionOf(arn), api.ErrorMessage())
	return fault.Misconfigured("InvalidParameter", doing, fault.Plain(err), hint)
}

// updateHints say what to compare with the service. One is chosen by a part of ECS's message, which is
// in lower case and has spaces for hyphens: the first that matches. The messages:
//   - "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role being
//     passed has the proper permissions." (metaps/genova issue 9; trussworks/terraform-aws-ecs-service issue 335)
//   - "There are no capacity providers with a weight value greater than zero defined in the default capacity provider
//     strategy. …" (terraform-aws-modules/terraform-aws-ecs issue 27)
//   - "ECS managed EBS volume configuration was invalid for volume 'vol1'. Encountered 'VolumeTypeNotAvailableInZone'
//     error from AmazonEC2: …" (hashicorp/terraform-provider-aws pull request 43502)
//   - that alarms, deploymentConfiguration and target groups are named so is in the API reference of UpdateService.
var updateHints = []struct {
	parts []string
	hint  string
}{
	{[]string{"assume role", "service role"}, "ECS cannot use the role for the service's load balancer, or does not " +
		"find its target group: compare roleArn and loadBalancers of the service with the roles and the target " +
		"groups that there are, and correct them in the infrastructure"},
	{[]string{"capacity provider"}, "the service's capacity providers do not fit the cluster: compare its " +
		"capacityProviderStrategy with capacityProviders and defaultCapacityProviderStrategy of the cluster, " +
		"and correct either in the infrastructure"},
	{[]string{"volume"}, "the service's volumes do not fit: compare volumeConfigurations of the service's " +
		"deployments with the volumes of the revision, and correct either in the infrastructure"},
	{[]string{"target group does", "target group with", "targetgrouparn"}, "the service's load balancer is not " +
		"complete: compare loadBalancers of the service with the target groups and listeners that there are, and " +
		"correct them in the infrastructure"},
	{[]string{"alarm", "deployment configuration", "deploymentconfiguration", "circuit breaker", "bake time",
		"healthy percent", "minimumhealthypercent", "maximumpercent", "lifecycle hook"},
		"the service's deployment configuration is not accepted: correct its deploymentConfiguration, with the " +
			"alarms and lifecycle hooks that it names, in the infrastructure"},
}

// updateHint returns what to do about an UpdateService call that ECS calls invalid.
func (s *State) updateHint(region, message string) string {
	// "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
	message = strings.ReplaceAll(strings.ToLower(message), "-", " ")
	if strings.Contains(message, "service linked role") {
		return "create the role that ECS assumes in the account, once: " +
			"aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"
	}
	hint := "the service and the revision do not fit together: compare the port names, containers and " +
		"container ports that the service's Service Connect, load balancers and registries name with the " +
		"portMappings of the revision, and its networkMode and requiresCompatibilities with the service's network " +
		"configuration and launch type, and correct either in the infrastructure"
	has := func(part string) bool { return strings.Contains(message, part) }
	for _, one := range updateHints {
		if slices.ContainsFunc(one.parts, has) {
			hint = one.hint
			break
		}
	}
	return hint + ": aws ecs describe-services --region " + region + " --cluster " + s.target.Cluster +
		" --services " + s.target.Service
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
