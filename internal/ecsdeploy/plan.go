package ecsdeploy

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/environment"
	"deployer/internal/fault"
)

// Plan is what a deployment would change: nothing, or one revision.
type Plan struct {
	Deployment Deployment // [Unchanged], or [Planned]
	target     Target
	register   *ecs.RegisterTaskDefinitionInput // nil if unchanged
}

// Plan compares the order with what runs. It asks nobody and changes nothing.
func (s *State) Plan(o Order) (*Plan, error) {
	base := s.newest
	if s.target.Base == environment.BaseService {
		base = s.running
	}
	chosen, err := s.target.choose(base.TaskDefinition)
	if err != nil {
		return nil, err
	}
	p := &Plan{target: s.target, Deployment: Deployment{
		Service: s.target.Workload, Cluster: s.target.Cluster, ECSService: s.target.Service,
		Image: o.reference(base.ContainerDefinitions[chosen[0]]).String(), Tag: o.Image.Tag, Digest: o.Image.Digest,
		PreviousTaskDefinition: s.running.arn(),
	}}
	switch unchanged, why, err := s.unchanged(o); {
	case err != nil:
		return nil, err
	case unchanged:
		p.Deployment.Status, p.Deployment.Reason = Unchanged, why
		p.Deployment.TaskDefinition, p.Deployment.PreviousTaskDefinition = s.running.arn(), ""
		return p, nil
	}
	p.register = clone(base)
	for _, i := range chosen {
		p.register.ContainerDefinitions[i].Image = aws.String(o.reference(base.ContainerDefinitions[i]).String())
	}
	p.register.Tags = append(p.register.Tags, o.journal(s.running.arn(), s.newest.arn())...)
	if n := len(p.register.Tags); n > maxTags {
		return nil, &fault.Misconfiguration{Fault: fault.Fault{Name: "TooManyTags", Doing: fmt.Sprintf("cloning task definition %q", base.arn()),
			Err: fmt.Errorf("it would have %d tags with the deployer's own, and ECS allows %d", n, maxTags), Hint: "remove some of the family's own tags"}}
	}
	p.Deployment.Status = Planned
	p.Deployment.Reason = fmt.Sprintf("a new revision of %s, cloned from %s, with the image in container %s",
		aws.ToString(base.Family), base.arn(), aws.ToString(base.ContainerDefinitions[chosen[0]].Name))
	return p, nil
}

// unchanged reports whether the service runs the order's image already, or
// the very event was carried out before, and in which words to say so.
func (s *State) unchanged(o Order) (bool, string, error) {
	if o.EventID != "" && tagValue(s.running.tags, keyEventID) == TagValue(o.EventID) {
		return true, "this event was carried out before: the service runs its revision", nil
	}
	if o.Force {
		return false, "", nil
	}
	chosen, err := s.target.choose(s.running.TaskDefinition)
	if err != nil {
		return false, "", err
	}
	return o.runs(s.running, chosen), "the service already runs this image", nil
}
