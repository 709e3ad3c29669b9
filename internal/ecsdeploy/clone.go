package ecsdeploy

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// clone returns the registration of a revision that differs from r in nothing
// but what the caller then changes. What ECS sets itself (ARN, revision, status,
// compatibilities, the attributes it requires, who registered and deregistered
// it when) is left to ECS.
func clone(r revision) *ecs.RegisterTaskDefinitionInput {
	in := &ecs.RegisterTaskDefinitionInput{
		Family:                        r.Family,
		ContainerDefinitions:          slices.Clone(r.ContainerDefinitions), // their images will change
		Cpu:                           r.Cpu,
		EnableFaultInjection:          r.EnableFaultInjection,
		EphemeralStorage:              r.EphemeralStorage,
		ExecutionRoleArn:              r.ExecutionRoleArn,
		IpcMode:                       r.IpcMode,
		Memory:                        r.Memory,
		NetworkMode:                   r.NetworkMode,
		PidMode:                       r.PidMode,
		PlacementConstraints:          r.PlacementConstraints,
		ProxyConfiguration:            r.ProxyConfiguration,
		RequiresCompatibilities:       r.RequiresCompatibilities,
		RuntimePlatform:               r.RuntimePlatform,
		TaskRoleArn:                   r.TaskRoleArn,
		TrustedExecutionConfiguration: r.TrustedExecutionConfiguration,
		Volumes:                       r.Volumes,
		Tags:                          ownTags(r.tags),
	}
	//lint:ignore SA1019 what an old revision has survives for as long as ECS takes it
	in.InferenceAccelerators = r.InferenceAccelerators
	return in
}

// ownTags returns the tags that a clone keeps: not an older journal's, and not
// AWS's, which nobody else may set.
func ownTags(tags []types.Tag) []types.Tag {
	var own []types.Tag
	for _, t := range tags {
		if key := aws.ToString(t.Key); !strings.HasPrefix(key, journalPrefix) && !strings.HasPrefix(strings.ToLower(key), "aws:") {
			own = append(own, t)
		}
	}
	return own
}
