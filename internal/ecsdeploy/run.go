package ecsdeploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/fault"
)

// run makes the calls of the rule for one order.
type run struct {
	deployer *Deployer
	state    *State
	order    Order
	unknown  int // registrations whose result is unknown
}

// makeAll makes calls, and passes their answers to the rule.
func (r *run) makeAll(ctx context.Context, rule *converge.Deployer, calls []converge.Call) error {
	for _, c := range calls {
		answer, err := r.call(ctx, c)
		if err != nil {
			return err
		}
		rule.Answered(c, answer, r.state.family)
	}
	return nil
}

// call makes one call. The first read of the service and the first read of the
// newest revision are answered from [Deployer.Read], which ran while the image
// was resolved.
func (r *run) call(ctx context.Context, c converge.Call) (converge.Answer, error) {
	s := r.state
	switch c.Kind {
	case converge.ReadService:
		if s.freshService {
			s.freshService = false
			return converge.Answer{Number: s.number()}, nil
		}
		return r.readService(ctx)
	case converge.ReadNewest:
		if s.freshNewest {
			s.freshNewest = false
			return converge.Answer{Number: s.newest.Number()}, nil
		}
		newest, err := r.deployer.services.DescribeRevision(ctx, s.familyName)
		if errors.Is(err, fault.ErrTaskDefinitionNotFound) {
			return converge.Answer{Number: s.newest.Number()}, nil // none is ACTIVE
		}
		if err != nil {
			return converge.Answer{}, err
		}
		s.addRevision(newest)
		return converge.Answer{Number: newest.Number()}, nil
	case converge.ReadRevision:
		return converge.Answer{}, r.readRevision(ctx, c.Number)
	case converge.Register:
		return r.register(ctx, c)
	}
	return r.update(ctx, c.Number)
}

// readRevision reads a revision. One that was deleted counts as deregistered.
func (r *run) readRevision(ctx context.Context, number int) error {
	one, err := r.deployer.services.DescribeRevision(ctx, r.state.arn(number))
	if errors.Is(err, fault.ErrTaskDefinitionNotFound) {
		deleted := types.TaskDefinitionStatusDeleteInProgress
		one.TaskDefinition = &types.TaskDefinition{Revision: int32(number), Status: deleted}
	} else if err != nil {
		return err
	}
	r.state.addRevision(one)
	return nil
}

// readService reads the service again, and the revision that it runs now.
func (r *run) readService(ctx context.Context) (converge.Answer, error) {
	s := r.state
	service, err := r.deployer.services.DescribeService(ctx, s.target)
	if err != nil {
		return converge.Answer{}, err
	}
	runs := aws.ToString(service.TaskDefinition)
	if ecsservice.FamilyOf(runs) != s.familyName {
		return converge.Answer{}, fault.Unavailable("FamilyChanged",
			fmt.Sprintf("describing service %q in cluster %q", s.target.Service, s.target.Cluster),
			fmt.Errorf("its task definition changed from family %q to %q during the deployment", s.familyName, runs),
			"the event is retried")
	}
	s.updateDeployments(service)
	number := ecsservice.NumberOf(runs)
	one, known := s.revisions[number]
	if !known {
		if one, err = r.deployer.services.DescribeRevision(ctx, runs); err != nil {
			return converge.Answer{}, err
		}
		s.addRevision(one)
	}
	s.running = one
	return converge.Answer{Number: number}, nil
}

// register registers the order's revision. If the result of a call is unknown,
// the rule first reads whether it took effect, before it calls again.
func (r *run) register(ctx context.Context, c converge.Call) (converge.Answer, error) {
	in, image, err := r.state.registration(r.order, c.Best)
	if err != nil {
		return converge.Answer{}, err
	}
	send, err := body(r.state.base(), in)
	if err != nil {
		return converge.Answer{}, err
	}
	var raw json.RawMessage
	retrying := func(o *ecs.Options) { o.Retryer = fault.UntilDeadlineIfRejected(ctx) }
	out, err := r.deployer.ecs.RegisterTaskDefinition(ctx, in, retrying, sending(send),
		ecsservice.KeepTaskDefinition(&raw))
	if err != nil {
		family := aws.ToString(in.Family)
		doing := fmt.Sprintf("registering a revision of task definition %q with image %q", family, image)
		if fault.MayHaveTakenEffect(err) {
			r.unknown++
			return converge.Answer{Lost: true}, fault.Backoff(ctx, r.unknown, doing, err)
		}
		return converge.Answer{}, fault.Classify(doing, err)
	}
	registered := ecsservice.Revision{TaskDefinition: out.TaskDefinition, Tags: in.Tags, Raw: raw}
	if !registered.Complete() { // it may have taken effect
		doing := fmt.Sprintf("registering a revision of task definition %q", aws.ToString(in.Family))
		r.unknown++
		return converge.Answer{Lost: true},
			fault.Backoff(ctx, r.unknown, doing, fault.Incomplete(doing, "task definition"))
	}
	r.state.addRevision(registered)
	r.state.unused = registered.Number()
	return converge.Answer{Number: registered.Number()}, nil
}

// update moves the service to a revision of the family.
func (r *run) update(ctx context.Context, number int) (converge.Answer, error) {
	s := r.state
	arn := s.arn(number)
	out, err := r.deployer.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(s.target.Cluster), Service: aws.String(s.target.Service), TaskDefinition: aws.String(arn),
	}, func(o *ecs.Options) { o.Retryer = fault.UntilDeadline(ctx) })
	if err != nil {
		return converge.Answer{}, s.updateFailed(arn, err)
	}
	s.running = s.revisions[number]
	if number == s.unused {
		s.unused = 0
	}
	answer := converge.Answer{Number: number}
	if out.Service == nil {
		return answer, nil
	}
	s.updateDeployments(out.Service)
	s.rollout = rollout(out.Service, arn)
	for _, d := range out.Service.Deployments {
		if td := aws.ToString(d.TaskDefinition); ecsservice.FamilyOf(td) == s.familyName {
			answer.Number = max(answer.Number, ecsservice.NumberOf(td))
		}
	}
	return answer, nil
}

// updateFailed returns the fault of an UpdateService call that failed. An
// InvalidParameterException is about how the service and the revision fit together:
// the call has no other parameters.
func (s *State) updateFailed(arn string, err error) error {
	doing := fmt.Sprintf("moving service %q in cluster %q to %q", s.target.Service, s.target.Cluster, arn)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InvalidParameterException" {
		return fault.Classify(doing, err)
	}
	// "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
	message := strings.ReplaceAll(strings.ToLower(api.ErrorMessage()), "-", " ")
	hint := "the service and the revision do not fit together: compare the port names, containers and " +
		"container ports that the service's Service Connect, load balancers and registries name with the " +
		"portMappings of the revision, and correct either in the infrastructure: " +
		"aws ecs describe-services --region " + regionOf(arn) + " --cluster " + s.target.Cluster +
		" --services " + s.target.Service
	if strings.Contains(message, "service linked role") {
		hint = "create the role that ECS assumes in the account, once: " +
			"aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"
	}
	return fault.Misconfigured("InvalidParameter", doing, fault.Plain(err), hint)
}

// regionOf returns the region in an ARN.
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}

// rollout returns the id of a service's primary deployment if it is one of the
// given revision, else "".
func rollout(s *types.Service, arn string) string {
	for _, d := range s.Deployments {
		if aws.ToString(d.TaskDefinition) == arn && ecsservice.IsPrimary(d) {
			return aws.ToString(d.Id)
		}
	}
	return ""
}
