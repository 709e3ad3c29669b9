package ecsdeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
)

// Ongoing is a service deployment that has not ended, as ECS keeps it beside
// the service: with its stages and pauses.
type Ongoing struct {
	ARN   string    // of the service deployment
	Stage string    // such as "BAKE_TIME"; "" where ECS does not tell
	Until time.Time // when the pause ends by itself; zero if there is none
	Then  string    // what happens then: "CONTINUE" or "ROLLBACK"

	pauses []string // ids of the hooks that wait for somebody
}

// Paused reports whether the deployment waits for somebody to say how it goes on.
func (o Ongoing) Paused() bool { return len(o.pauses) > 0 }

// Continue lets the target's paused deployment go on, and returns it as it was.
// A service without a deployment in progress, or whose deployment is not
// paused, is a [fault.Rejection].
func (d *Deployer) Continue(ctx context.Context, t Target) (Ongoing, error) {
	doing := fmt.Sprintf("continuing the deployment of service %q in cluster %q", t.Service, t.Cluster)
	o, err := d.ongoing(ctx, t, doing)
	if err != nil {
		return o, err
	}
	if !o.Paused() {
		where := ""
		if o.Stage != "" {
			where = ": it is at " + o.Stage
		}
		return o, t.idle("NotPaused", doing, "it is not paused"+where)
	}
	for _, hook := range o.pauses {
		_, err := d.ecs.ContinueServiceDeployment(ctx, &ecs.ContinueServiceDeploymentInput{
			ServiceDeploymentArn: aws.String(o.ARN), HookId: aws.String(hook), Action: types.DeploymentLifecycleHookActionContinue,
		})
		if err != nil {
			return o, fault.Classify(doing, err)
		}
	}
	return o, nil
}

// Stop ends the target's deployment, and returns it as it was: back to what ran
// before, or with abort where it is. A service without a deployment in
// progress is a [fault.Rejection]. ECS refuses to go back where nothing ran before.
func (d *Deployer) Stop(ctx context.Context, t Target, abort bool) (Ongoing, error) {
	doing := fmt.Sprintf("stopping the deployment of service %q in cluster %q", t.Service, t.Cluster)
	o, err := d.ongoing(ctx, t, doing)
	if err != nil {
		return o, err
	}
	how := types.StopServiceDeploymentStopTypeRollback
	if abort {
		how = types.StopServiceDeploymentStopTypeAbort
	}
	// What it refuses as a conflict does not pass: the SDK's own few retries are enough.
	_, err = d.ecs.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: aws.String(o.ARN), StopType: how})
	return o, fault.Classify(doing, err)
}

// ongoing returns the target's deployment that is in progress.
func (d *Deployer) ongoing(ctx context.Context, t Target, doing string) (Ongoing, error) {
	if _, err := d.describeService(ctx, t); err != nil {
		return Ongoing{}, err
	}
	out, err := d.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(t.Cluster), Service: aws.String(t.Service),
		Status: []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress,
			types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress},
	}, within(ctx))
	if err != nil {
		return Ongoing{}, fault.Classify(doing, err)
	}
	if len(out.ServiceDeployments) == 0 {
		return Ongoing{}, t.idle("NothingInProgress", doing, "no deployment is in progress")
	}
	newest := slices.MaxFunc(out.ServiceDeployments, func(a, b types.ServiceDeploymentBrief) int {
		return aws.ToTime(a.CreatedAt).Compare(aws.ToTime(b.CreatedAt))
	})
	if newest.Status == types.ServiceDeploymentStatusRollbackRequested || newest.Status == types.ServiceDeploymentStatusRollbackInProgress {
		return Ongoing{}, t.idle("RollbackInProgress", doing, "it is being rolled back: "+aws.ToString(newest.StatusReason))
	}
	return d.describeOngoing(ctx, doing, aws.ToString(newest.ServiceDeploymentArn))
}

// describeOngoing reads one service deployment.
func (d *Deployer) describeOngoing(ctx context.Context, doing, arn string) (Ongoing, error) {
	out, err := d.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}}, within(ctx))
	if err != nil {
		return Ongoing{}, fault.Classify(doing, err)
	}
	if len(out.ServiceDeployments) == 0 {
		return Ongoing{}, &fault.Outage{Fault: fault.Fault{Name: "ServiceDeploymentNotFound", Doing: doing, Err: fmt.Errorf("ECS does not show %q, which it listed", arn), Hint: "try again"}}
	}
	one := out.ServiceDeployments[0]
	o := Ongoing{ARN: arn, Stage: string(one.LifecycleStage)}
	for _, h := range one.LifecycleHookDetails {
		if h.TargetType != types.DeploymentLifecycleHookTargetTypePause || h.Status != types.DeploymentLifecycleHookStatusAwaitingAction {
			continue
		}
		o.pauses = append(o.pauses, aws.ToString(h.HookId))
		if at := aws.ToTime(h.ExpiresAt).UTC(); o.Until.IsZero() || at.Before(o.Until) {
			o.Until, o.Then = at, cmp.Or(string(h.TimeoutAction), string(types.DeploymentLifecycleHookActionRollback))
		}
	}
	return o, nil
}

// idle is the fault of a service with whose deployment there is nothing to do.
func (t Target) idle(name, doing, why string) error {
	return &fault.Rejection{Fault: fault.Fault{Name: name, Doing: doing, Err: errors.New(why),
		Hint: "deployer status -f FILE " + t.Workload + " shows how the service stands"}}
}
