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
// changes. The environment file decides alone if it names them. Else they are
// those that run an image of the target's repository and registry; else the one
// with the conventional name; else the only essential one. Their order does not
// matter: a sidecar may come first. The error is a [fault.Misconfiguration] with what
// to write into the file if there is none, and if containers that the file does not
// name run different images.
func (t Target) Containers(td *types.TaskDefinition) ([]int, error) {
	if len(t.Named) > 0 {
		return t.named(td)
	}
	var same, conventional, elsewhere, essential []int
	for i, c := range td.ContainerDefinitions {
		ref, err := image.ParseReference(aws.ToString(c.Image))
		registry, isECR := ref.Registry()
		switch {
		case err != nil || !isECR || ref.Repository != t.Repository:
		case registry == t.Registry:
			same = append(same, i)
		default:
			elsewhere = append(elsewhere, i)
		}
		if aws.ToString(c.Name) == t.Container {
			conventional = append(conventional, i)
		}
		if (c.Essential == nil || *c.Essential) && !sidecars[aws.ToString(c.Name)] {
			essential = append(essential, i)
		}
	}
	switch {
	case len(same) > 0:
		return t.oneImage(td, same)
	case len(conventional) > 0:
		return conventional, nil
	case len(essential) == 1:
		return essential, nil
	}
	cause := fmt.Errorf("none runs an image of that repository of %s, none is called %q, and %d are essential: %s",
		t.Registry, t.Container, len(essential), names(td))
	if len(elsewhere) > 0 { // the strategy may have named that registry before
		return nil, t.noContainer(td, cause, "if those of the repository in another registry are meant, "+
			t.toWrite(td, elsewhere))
	}
	return nil, t.noContainer(td, cause, "name the one that deployments change: "+t.toWrite(td, essential))
}

// toWrite returns the line by which the environment file names containers: the chosen
// ones, or all if none is.
func (t Target) toWrite(td *types.TaskDefinition, chosen []int) string {
	var all []string
	for i, c := range td.ContainerDefinitions {
		if len(chosen) == 0 || slices.Contains(chosen, i) {
			all = append(all, aws.ToString(c.Name))
		}
	}
	return fmt.Sprintf("write into %s below deployer: workloads: {%s: {container: [%s]}}", t.File, t.Workload,
		strings.Join(all, ", "))
}

// named returns the containers that the environment file names.
func (t Target) named(td *types.TaskDefinition) ([]int, error) {
	var chosen []int
	for _, name := range t.Named {
		i := slices.IndexFunc(td.ContainerDefinitions, func(c types.ContainerDefinition) bool {
			return aws.ToString(c.Name) == name
		})
		if i < 0 {
			return nil, t.noContainer(td, fmt.Errorf("%s names the container %q, and the containers are %s",
				t.setting(),
				name, names(td)), "correct "+t.setting()+" in "+t.File)
		}
		chosen = append(chosen, i)
	}
	slices.Sort(chosen)
	return chosen, nil
}

// oneImage returns the chosen containers, or an error if they run different images:
// a deployment would give all of them the same.
func (t Target) oneImage(td *types.TaskDefinition, chosen []int) ([]int, error) {
	first, _ := image.ParseReference(aws.ToString(td.ContainerDefinitions[chosen[0]].Image))
	for _, i := range chosen[1:] {
		ref, _ := image.ParseReference(aws.ToString(td.ContainerDefinitions[i].Image))
		if IdentityOf(tagged(ref)) == IdentityOf(tagged(first)) {
			continue
		}
		return nil, t.noContainer(td, fmt.Errorf("%d containers run different images of it: %s", len(chosen),
			names(td, chosen...)), "name the one that deployments change, or those of one image: "+
			"for example, "+t.toWrite(td, chosen[:1]))
	}
	return chosen, nil
}

// tagged returns a reference with the tag that it means without one: latest.
func tagged(ref image.Reference) image.Reference {
	if ref.Tag == "" && ref.Digest == "" {
		ref.Tag = "latest"
	}
	return ref
}

// setting is the key of the environment file that names the target's containers.
func (t Target) setting() string { return "deployer.workloads." + t.Workload + ".container" }

// noContainer returns the fault of a task definition without a container for the image.
func (t Target) noContainer(td *types.TaskDefinition, cause error, hint string) error {
	return fault.Misconfigured("ContainerNotFound",
		fmt.Sprintf("choosing the container of task definition %q that runs %q",
			aws.ToString(td.TaskDefinitionArn), t.Repository), cause, hint)
}

// names returns the containers of a task definition with their images, for messages: those
// with the given indices, or all.
func names(td *types.TaskDefinition, only ...int) string {
	var all []string
	for i, c := range td.ContainerDefinitions {
		if len(only) == 0 || slices.Contains(only, i) {
			all = append(all, fmt.Sprintf("%s (%s)", aws.ToString(c.Name), aws.ToString(c.Image)))
		}
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
