package emulator

import (
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/ecs"
)

// An Error is an error answer of a service, as clients receive it.
type Error = api.Error

// Throttled is the error of a service that is called too often.
func Throttled() *Error { return api.ErrThrottled }

// ServerFault is the error of a service with an internal failure.
func ServerFault() *Error { return api.ErrServerFault }

// Unavailable is the error of a load balancer in front of a service that it cannot reach.
func Unavailable() *Error { return api.ErrUnavailable }

// ConcurrentRevisions is the error of RegisterTaskDefinition when several callers register revisions of one family at
// once. SDKs do not retry it.
func ConcurrentRevisions() *Error { return ecs.ErrConcurrentRevisions }

// AccessDenied is the error of a service for a caller without permission.
func AccessDenied(message string) *Error { return api.AccessDenied(message) }
