package ecsdeploy

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
)

// clone returns the registration of a copy of revision r without its journal. It
// omits the fields that ECS sets: ARN, number, status, compatibilities, required
// attributes, and when and by whom it was registered or deregistered.
func clone(r ecsservice.Revision) *ecs.RegisterTaskDefinitionInput {
	td := r.TaskDefinition
	in := &ecs.RegisterTaskDefinitionInput{
		Family:                        td.Family,
		ContainerDefinitions:          slices.Clone(td.ContainerDefinitions), // the caller changes their images
		Cpu:                           td.Cpu,
		EnableFaultInjection:          td.EnableFaultInjection,
		EphemeralStorage:              td.EphemeralStorage,
		ExecutionRoleArn:              role(td.ExecutionRoleArn),
		IpcMode:                       td.IpcMode,
		Memory:                        td.Memory,
		NetworkMode:                   td.NetworkMode,
		PidMode:                       td.PidMode,
		PlacementConstraints:          td.PlacementConstraints,
		ProxyConfiguration:            td.ProxyConfiguration,
		RequiresCompatibilities:       td.RequiresCompatibilities,
		RuntimePlatform:               td.RuntimePlatform,
		TaskRoleArn:                   role(td.TaskRoleArn),
		TrustedExecutionConfiguration: td.TrustedExecutionConfiguration,
		Volumes:                       td.Volumes,
		Tags:                          OwnTags(r.Tags),
	}
	//lint:ignore SA1019 a clone keeps what an old revision has for as long as ECS accepts it
	in.InferenceAccelerators = td.InferenceAccelerators
	return in
}

// role returns the ARN of a role, nil if it is empty: ECS may return an empty one, and
// does not accept it.
func role(arn *string) *string {
	if aws.ToString(arn) == "" {
		return nil
	}
	return arn
}

// OwnTags returns the tags that a clone keeps: neither those of an older
// journal nor those of AWS, which only AWS may set.
func OwnTags(tags []types.Tag) []types.Tag {
	var own []types.Tag
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if strings.HasPrefix(key, journal.Prefix) || strings.HasPrefix(strings.ToLower(key), "aws:") {
			continue
		}
		own = append(own, t)
	}
	return own
}

// AlikeButImage reports whether two revisions differ at most in their tags and in
// the image references of the target's containers. A revision that only journals
// an event is alike to the one that was cloned.
func AlikeButImage(t ecsservice.Target, a, b ecsservice.Revision) bool {
	bare := func(r ecsservice.Revision) any {
		in := clone(r)
		in.Tags = nil
		chosen, _ := t.Containers(r.TaskDefinition)
		for _, i := range chosen {
			in.ContainerDefinitions[i].Image = nil
		}
		if len(a.Raw) == 0 || len(b.Raw) == 0 {
			return in
		}
		text, err := body(r, in)
		if err != nil {
			return in
		}
		var all any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if d.Decode(&all) != nil {
			return in
		}
		return all
	}
	return reflect.DeepEqual(bare(a), bare(b))
}
