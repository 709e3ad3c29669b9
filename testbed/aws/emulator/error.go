package emulator

import (
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/ecs"
)

// An Error is an error answer of a service, as clients receive it.
type Error = api.Error

// Errors to inject.
var (
	// ErrThrottled is the error of a service that is called too often.
	ErrThrottled = api.ErrThrottled
	// ErrServerFault is the error of a service with an internal failure.
	ErrServerFault = api.ErrServerFault
	// ErrUnavailable is the error of a load balancer in front of a service that it cannot reach.
	ErrUnavailable = api.ErrUnavailable
	// ErrConcurrentRevisions is the error of RegisterTaskDefinition when several callers register revisions of one
	// family at once. SDKs do not retry it.
	ErrConcurrentRevisions = ecs.ErrConcurrentRevisions
)

// AccessDenied returns the error of a service for a caller without permission.
func AccessDenied(message string) *Error { return api.AccessDenied(message) }
