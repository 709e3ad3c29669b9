package ecsdeploy

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"deployer/internal/fault"
)

// mostListed is how many revisions one ListTaskDefinitions gives.
const mostListed = 100

// History is a family's revisions as their journals tell of them.
type History struct {
	Family  string
	Runs    string   // ARN of the revision that the service runs, or is being moved to; "" if it cannot be told
	Why     error    // why it cannot: the service is missing, say
	Records []Record // newest first
}

// History reads the newest revisions of the target's family, deregistered ones
// among them, at most as many as asked for. Of a revision whose journal has no
// outcome, the service's deployments may tell it. A service that is missing has
// a history all the same: its conventional family's.
func (d *Deployer) History(ctx context.Context, t Target, most int) (*History, error) {
	service, err := d.describeService(ctx, t)
	h := &History{Family: t.Family, Why: err}
	switch name := fault.NameOf(err); {
	case err == nil:
		h.Runs = aws.ToString(service.TaskDefinition)
		h.Family = familyOf(h.Runs)
	case name != "ServiceNotFound" && name != "ServiceNotActive" && name != "ControllerNotECS":
		return nil, err
	}
	arns, err := d.newestOf(ctx, h.Family, most)
	if err != nil {
		return nil, err
	}
	if h.Records, err = d.records(ctx, t, arns); err != nil {
		return nil, err
	}
	for i := range h.Records {
		if one := &h.Records[i]; h.Runs != "" && one.Outcome == "" {
			one.Outcome, one.Why = shown(service, one.TaskDefinition)
		}
	}
	return h, nil
}

// shown returns how far a service's deployments say that a revision has come,
// and if it failed why; "" if they do not list it.
func shown(service *types.Service, arn string) (phase Phase, why string) {
	for _, d := range service.Deployments {
		if aws.ToString(d.TaskDefinition) != arn {
			continue
		}
		r := rolloutOf(service, arn)
		if r.Phase == Failed {
			why = r.Reason
		}
		return r.Phase, why
	}
	return "", ""
}

// newestOf returns the ARNs of a family's newest revisions, newest first, at
// most as many as asked for.
func (d *Deployer) newestOf(ctx context.Context, family string, most int) ([]string, error) {
	var active, inactive []string
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		active, err = d.listed(gctx, family, types.TaskDefinitionStatusActive, most)
		return err
	})
	g.Go(func() (err error) {
		inactive, err = d.listed(gctx, family, types.TaskDefinitionStatusInactive, most)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all := append(active, inactive...)
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(revisionOf(b), revisionOf(a)) })
	return all[:min(len(all), most)], nil
}

// listed returns the ARNs of a family's newest revisions of one status, and
// reads no page more than it needs.
func (d *Deployer) listed(ctx context.Context, family string, status types.TaskDefinitionStatus, most int) (arns []string, err error) {
	// Despite its name, the prefix is a whole family.
	in := &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String(family), Status: status, Sort: types.SortOrderDesc}
	for len(arns) < most {
		in.MaxResults = aws.Int32(int32(min(most-len(arns), mostListed)))
		out, err := d.ecs.ListTaskDefinitions(ctx, in, within(ctx))
		if err != nil {
			return nil, fault.Classify(fmt.Sprintf("listing the revisions of task definition %q", family), err)
		}
		arns = append(arns, out.TaskDefinitionArns...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return arns, nil
}
