package environment

import "deployer/internal/image"

// Pointer is the AWS resource that decides which revision of its task definition
// a workload runs. Deploying a workload means moving its pointer.
type Pointer interface {
	// Name returns the resource's own name, such as that of an ECS service.
	Name() string
	// ARN returns the resource's ARN in e, which must know its account.
	ARN(e *Environment) string
}

// ECSService is the name of an ECS service in the environment's cluster.
type ECSService string

// Name implements [Pointer].
func (s ECSService) Name() string { return string(s) }

// ARN implements [Pointer].
func (s ECSService) ARN(e *Environment) string {
	return "arn:" + image.PartitionOf(e.Region).Name + ":ecs:" + e.Region + ":" + e.AccountID + ":service/" +
		e.Cluster + "/" + string(s)
}
