package ecsdeploy

import (
	"testing"

	"github.com/aws/smithy-go"

	"deployer/internal/fault"
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/emulator"
)

// TestUpdateRejected checks that the fault of an UpdateService that ECS calls invalid is
// about the service, and not about the task definition or the deployer.
func TestUpdateRejected(t *testing.T) {
	t.Parallel()
	const doing = `moving service "p_service_web_dev" in cluster "c" to "` + arn + `p_service_web_dev:2": `
	const describe = ": aws ecs describe-services --region us-east-1 --cluster c --services p_service_web_dev)"
	const fit = ` (the service and the revision do not fit together: compare the port names, containers and ` +
		`container ports that the service's Service Connect, load balancers and registries name with the ` +
		`portMappings of the revision, and its networkMode and requiresCompatibilities with the service's network ` +
		`configuration and launch type, and correct either in the infrastructure` + describe
	tests := []struct{ name, message, want string }{
		{"port name", "The portName http is not in the task definition.",
			doing + "InvalidParameterException: The portName http is not in the task definition." + fit},
		{"load balancer", "The container web did not have a container port 80 defined.",
			doing + "InvalidParameterException: The container web did not have a container port 80 defined." + fit},
		{"network mode", "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
			doing + "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is " +
				"specified." + fit},
		{"launch type", "Task definition does not support launch_type FARGATE.",
			doing + "InvalidParameterException: Task definition does not support launch_type FARGATE." + fit},
		{"role of the load balancer", "Unable to assume role and validate the specified targetGroupArn.",
			doing + "InvalidParameterException: Unable to assume role and validate the specified targetGroupArn. " +
				"(ECS cannot use the role for the service's load balancer, or does not find its target group: " +
				"compare roleArn and loadBalancers of the service with the roles and the target groups that there " +
				"are, and correct them in the infrastructure" + describe},
		{"capacity provider", "There are no capacity providers with a weight value greater than zero.",
			doing + "InvalidParameterException: There are no capacity providers with a weight value greater than " +
				"zero. (the service's capacity providers do not fit the cluster: compare its " +
				"capacityProviderStrategy with capacityProviders and defaultCapacityProviderStrategy of the cluster, " +
				"and correct either in the infrastructure" + describe},
		{"volume", "ECS managed EBS volume configuration was invalid for volume 'vol1'.",
			doing + "InvalidParameterException: ECS managed EBS volume configuration was invalid for volume 'vol1'. " +
				"(the service's volumes do not fit: compare volumeConfigurations of the service's deployments with " +
				"the volumes of the revision, and correct either in the infrastructure" + describe},
		{"target group", "The target group with targetGroupArn web does not have an associated load balancer.",
			doing + "InvalidParameterException: The target group with targetGroupArn web does not have an associated " +
				"load balancer. (the service's load balancer is not complete: compare loadBalancers of the service " +
				"with the target groups and listeners that there are, and correct them in the infrastructure" +
				describe},
		{"deployment configuration", "The alarms [web-5xx] of the deployment configuration do not exist.",
			doing + "InvalidParameterException: The alarms [web-5xx] of the deployment configuration do not exist. " +
				"(the service's deployment configuration is not accepted: correct its deploymentConfiguration, with " +
				"the alarms and lifecycle hooks that it names, in the infrastructure" + describe},
		{"service-linked role", "Unable to assume the service linked role. Please verify that the ECS service linked " +
			"role exists.", doing + "InvalidParameterException: Unable to assume the service linked role. Please " +
			"verify that the ECS service linked role exists. (create the role that ECS assumes in the account, " +
			"once: aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Inject(emulator.Fault{Operation: "ecs:UpdateService", Times: 1,
				Error: api.NewError("InvalidParameterException", "%s", tt.message)})
			_, _, err := w.deploy(t, target, order(w.digest))
			if err == nil || err.Error() != tt.want || !fault.IsMisconfigured(err) ||
				fault.NameOf(err) != "InvalidParameter" {
				t.Errorf("got %T %s %v\nwant %s", err, fault.NameOf(err), err, tt.want)
			}
		})
	}
	other := &smithy.GenericAPIError{Code: "ServerException", Message: "no"}
	if err := (&State{target: target}).updateFailed(arn+"f:2", other); !fault.IsUnavailable(err) {
		t.Errorf("another error: %T", err)
	}
}
