package ecsdeploy

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/environment"
	"deployer/internal/fault"
)

// base returns the revision that a deployment clones.
func (s *State) base() revision {
	if s.target.Base == environment.BaseService {
		return s.running
	}
	return s.newest
}

// registration returns the revision that carries out the order, and how it
// names the image: the base with the chosen containers' image changed, and the journal.
func (s *State) registration(o Order, best converge.Key) (*ecs.RegisterTaskDefinitionInput, string, error) {
	base := s.base()
	chosen, err := s.target.Containers(base.TaskDefinition)
	if err != nil {
		return nil, "", err
	}
	in := clone(base)
	for _, i := range chosen {
		in.ContainerDefinitions[i].Image = aws.String(o.reference(base.ContainerDefinitions[i]).String())
	}
	in.Tags = append(in.Tags, o.journal(s.running.arn(), s.newest.arn(), bestValue(best))...)
	if n := len(in.Tags) + later; n > maxTags {
		return nil, "", &fault.Misconfiguration{Fault: fault.Fault{Name: "TooManyTags", Doing: fmt.Sprintf("cloning task definition %q", base.arn()),
			Err: fmt.Errorf("it would have %d tags with the deployer's own, and ECS allows %d", n, maxTags), Hint: "remove some of the family's own tags"}}
	}
	return in, aws.ToString(in.ContainerDefinitions[chosen[0]].Image), nil
}

// deployment returns what is known of a deployment before it has an outcome.
func (s *State) deployment(o Order) (Deployment, error) {
	_, image, err := s.registration(o, converge.Key{})
	return Deployment{
		Service: s.target.Workload, Cluster: s.target.Cluster, ECSService: s.target.Service,
		Image: image, Tag: o.Image.Tag, Digest: o.Image.Digest, PreviousTaskDefinition: s.before,
	}, err
}
