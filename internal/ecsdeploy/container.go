package ecsdeploy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// sidecars are containers that infrastructure adds beside the application,
// sometimes as the first one; they never run its image.
var sidecars = map[string]bool{"adot-collector": true, "aws-otel-collector": true, "xray-daemon": true, "log_router": true, "envoy": true}

// Containers returns the indexes of the containers whose image a deployment
// changes: those that run an image of the target's repository (of any
// registry, under any tag); else the one with the conventional name; else the
// only essential one. A container's place says nothing: a sidecar may be first.
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
	return nil, &fault.Misconfiguration{Fault: fault.Fault{
		Name:  "ContainerNotFound",
		Doing: fmt.Sprintf("choosing the container of task definition %q that runs %q", aws.ToString(td.TaskDefinitionArn), t.Repository),
		Err:   fmt.Errorf("none runs an image of that repository, none is called %q, and %d are essential: %s", t.Container, len(essential), names(td)),
		Hint:  "name it in deployer.workloads." + t.Workload + ".container of the environment file",
	}}
}

// names lists a task definition's containers with their images, for messages.
func names(td *types.TaskDefinition) string {
	all := make([]string, len(td.ContainerDefinitions))
	for i, c := range td.ContainerDefinitions {
		all[i] = fmt.Sprintf("%s (%s)", aws.ToString(c.Name), aws.ToString(c.Image))
	}
	return strings.Join(all, ", ")
}

// reference returns the image reference that a container gets: by digest or by
// tag, and under the host name it had, if that is the same registry's (a FIPS
// or dual-stack name is somebody's choice).
func (o Order) reference(c types.ContainerDefinition) image.Reference {
	ref := o.Image
	if o.Form == environment.ByTag && ref.Tag != "" && o.Restores == "" { // where a rollback's tag is now, nobody asked
		ref.Digest = ""
	} else {
		ref.Tag = ""
	}
	old, err := image.ParseReference(aws.ToString(c.Image))
	if err != nil {
		return ref
	}
	was, isECR := old.Registry()
	if is, _ := ref.Registry(); isECR && was == is {
		ref.Host = old.Host
	}
	return ref
}

// identity returns what tells the images of a revision apart, whatever host
// name and tag they go by: registry, repository and digest of its chosen
// containers. For a container that names its image by tag, the journal says
// which digest was meant; without one, the tag itself stands for an image that
// nobody knows.
func (t Target) identity(r revision) string {
	chosen, err := t.Containers(r.TaskDefinition)
	if err != nil {
		return ""
	}
	var all []string
	for _, i := range chosen {
		ref, err := image.ParseReference(aws.ToString(r.ContainerDefinitions[i].Image))
		if err != nil {
			ref.Repository = aws.ToString(r.ContainerDefinitions[i].Image)
		}
		if ref.Digest == "" && ref.Tag != "" && ref.Tag == tagValue(r.tags, keyTag) {
			ref.Digest = tagValue(r.tags, keyDigest)
		}
		if one := identityOf(ref); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return strings.Join(all, ",")
}

func identityOf(ref image.Reference) string {
	where := ref.Host
	if registry, ok := ref.Registry(); ok {
		where = registry.AccountID + "." + registry.Region
	}
	what := ref.Digest
	if what == "" {
		what = ":" + ref.Tag
	}
	return where + "/" + ref.Repository + "@" + what
}
