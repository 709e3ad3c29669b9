package ecs

import "deployer/testbed/aws/api"

// The errors of ECS without parameters (ECS API reference, the errors of each operation).
var (
	errClusterNotFound           = api.NewError("ClusterNotFoundException", "Cluster not found.")
	errServiceNotFound           = api.NewError("ServiceNotFoundException", "Service not found.")
	errServiceNotActive          = api.NewError("ServiceNotActiveException", "Service was not ACTIVE.")
	errServiceDeploymentNotFound = api.NewError("ServiceDeploymentNotFoundException", "Service deployment not found.")

	// ErrConcurrentRevisions is RegisterTaskDefinition's error when several callers register revisions of one family at
	// once. SDKs do not retry it.
	ErrConcurrentRevisions = clientError("Too many concurrent attempts to create a new revision of the specified " +
		"family.")
)

// clientError returns the error of ECS for a request that cannot be carried out.
func clientError(format string, args ...any) *api.Error {
	return api.NewError("ClientException", format, args...)
}
