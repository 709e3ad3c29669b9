package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pointer"
	"deployer/internal/resolve"
)

// maxRunSearch is how many revisions are searched for the image of a tag.
const maxRunSearch = 50

// revisionToRun returns the revision that is run: what the pointer starts, or the newest one
// with the image under a tag.
func (a *app) revisionToRun(ctx context.Context, s *session, services *ecsservice.Client, t ecsservice.Target,
	p pointer.Pointer, tag string) (ecsservice.Revision, error) {
	if tag == "" {
		r, err := services.DescribeRevision(ctx, ecsservice.RevisionARN(p, t.Family))
		if err == nil && r.Inactive() {
			err = fault.Misconfigured(fault.ErrTaskNotStarted, fmt.Sprintf("running %s", t),
				fmt.Errorf("%s holds %s, which is INACTIVE: ECS starts no task of it", p, r.ARN()),
				"deploy again: "+t.Command("redeploy"))
		}
		return r, err
	}
	w, _ := s.env.Find(t.Workload, environment.Tasks...)
	image, err := resolve.New(s.config).Resolve(ctx, s.env, s.env.Current(w), tag)
	if err != nil {
		return ecsservice.Revision{}, a.withTags(ctx, s.config, s.env, s.env.Current(w), tag, err)
	}
	arns, err := services.ListRevisions(ctx, t.Family, types.TaskDefinitionStatusActive, maxRunSearch)
	if err != nil {
		return ecsservice.Revision{}, err
	}
	named := image // by a revision that is not the deployer's: ECS looks the tag up when the task starts
	named.Tag, named.Digest = tag, ""
	same := []string{ecsservice.IdentityOf(image), ecsservice.IdentityOf(named)}
	for _, arn := range arns {
		r, err := services.DescribeRevision(ctx, arn)
		if err != nil {
			return r, err
		}
		if !t.Record(r).Other && slices.Contains(same, t.Identity(r)) {
			return r, nil
		}
	}
	which := "no revision"
	if len(arns) == maxRunSearch {
		which = fmt.Sprintf("none of the newest %d revisions", maxRunSearch)
	}
	return ecsservice.Revision{}, fault.Rejected(fault.ErrTaskDefinitionNotFound, fmt.Sprintf("running %s", t),
		fmt.Errorf("%s of family %q has the image under tag %q (%s), and run registers none: what is registered is "+
			"deployed", which, t.Family, tag, image.Digest),
		"deploy it first: "+t.Command("deploy")+" "+tag)
}
