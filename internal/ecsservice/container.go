package ecsservice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
	"deployer/internal/image"
	"deployer/internal/journal"
)

// sidecars are the names of containers that infrastructure adds to a task
// definition, sometimes as its first; they never run the workload's image.
var sidecars = map[string]bool{
	"adot-collector": true, "aws-otel-collector": true, "envoy": true, "log_router": true, "xray-daemon": true,
}

// Containers returns the indexes of the containers whose image a deployment
// changes: those that run an image of the target's repository, from any
// registry and with any tag; else the one with the conventional name; else the
// only essential one. Their order does not matter: a sidecar may come first. If
// there is none, the error is a [fault.Misconfiguration].
func (t Target) Containers(td *types.TaskDefinition) ([]int, error) {
	var same, named, essential []int
	for i, c := range td.ContainerDefinitions {
		ref, err := image.ParseReference(aws.ToString(c.Image))
		if err == nil && ref.Repository == t.Repository {
			same = append(same, i)
		}
		if aws.ToString(c.Name) == t.Container {
			named = append(named, i)
		}
		if (c.Essential == nil || *c.Essential) && !sidecars[aws.ToString(c.Name)] {
			essential = append(essential, i)
		}
	}
	switch {
	case len(same) > 0:
		return same, nil
	case len(named) > 0:
		return named, nil
	case len(essential) == 1:
		return essential, nil
	}
	arn := aws.ToString(td.TaskDefinitionArn)
	return nil, fault.Misconfigured("ContainerNotFound",
		fmt.Sprintf("choosing the container of task definition %q that runs %q", arn, t.Repository),
		fmt.Errorf("none runs an image of that repository, none is called %q, and %d are essential: %s",
			t.Container, len(essential), names(td)),
		"set deployer.workloads."+t.Workload+".container in "+t.File)
}

// names returns the containers of a task definition with their images, for messages.
func names(td *types.TaskDefinition) string {
	all := make([]string, len(td.ContainerDefinitions))
	for i, c := range td.ContainerDefinitions {
		all[i] = fmt.Sprintf("%s (%s)", aws.ToString(c.Name), aws.ToString(c.Image))
	}
	return strings.Join(all, ", ")
}

// Identity returns a text that is equal for two revisions if they run the same
// image: registry, repository and digest of the target's containers. Host name
// and tag make no difference. If a container names its image by tag, the digest
// comes from the journal; without a journal, the tag replaces the digest.
func (t Target) Identity(r Revision) string {
	chosen, err := t.Containers(r.TaskDefinition)
	if err != nil {
		return ""
	}
	var all []string
	for _, i := range chosen {
		name := aws.ToString(r.TaskDefinition.ContainerDefinitions[i].Image)
		ref, err := image.ParseReference(name)
		if err != nil {
			ref.Repository = name
		}
		if one := IdentityOf(journal.Complete(ref, r.tags())); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return strings.Join(all, ",")
}

// IdentityOf returns the [Target.Identity] of a revision that runs one image.
func IdentityOf(ref image.Reference) string {
	where := ref.Host
	if registry, ok := ref.Registry(); ok {
		where = registry.AccountID + "." + registry.Region
	}
	return where + "/" + ref.Repository + "@" + cmp.Or(ref.Digest, ":"+ref.Tag)
}
