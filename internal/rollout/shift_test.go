package rollout

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// deploymentAnswers returns the answers of ListServiceDeployments and
// DescribeServiceDeployments about the service deployment of a rollout.
func deploymentAnswers(id string, status types.ServiceDeploymentStatus, stage, reason string) (list, describe string) {
	const arns = "arn:aws:ecs:us-east-1:333333333333:"
	const deployment = arns + "service-deployment/myproject_cluster_prod/myproject_service_prod/one"
	revision := arns + "service-revision/myproject_cluster_prod/myproject_service_prod/" +
		strings.TrimPrefix(id, "ecs-svc/")
	return fmt.Sprintf(`{"serviceDeployments":[{"serviceDeploymentArn":%q,"targetServiceRevisionArn":%q,`+
			`"status":%q}]}`, deployment, revision, status),
		fmt.Sprintf(`{"serviceDeployments":[{"serviceDeploymentArn":%q,"targetServiceRevision":{"arn":%q},`+
			`"status":%q,"lifecycleStage":%q,"statusReason":%q}],"failures":[]}`,
			deployment, revision, status, stage, reason)
}

// TestShifted checks that a rollout that shifts traffic has not succeeded before
// its service deployment has, whatever all its tasks do, for each of its statuses:
// when ECS says that it completed, when it is followed, and in the status.
func TestShifted(t *testing.T) {
	t.Parallel()
	const why = "Service deployment rolled back because of an alarm."
	const completed = "ECS deployment " + failedID + " completed."
	succeeded := []string{"Deployment Succeeded of 12: " + completed}
	failed := []string{"Deployment Failed of 12: " + why}
	for _, tt := range []struct {
		status    types.ServiceDeploymentStatus // "" if none is listed
		stage     string
		phase     journal.Phase
		condition Condition
		reports   []string
		reason    string
	}{
		{types.ServiceDeploymentStatusPending, "", journal.RollingOut, RollingOut, nil,
			"its service deployment has not ended: it is PENDING"},
		{types.ServiceDeploymentStatusInProgress, "BAKE_TIME", journal.RollingOut, RollingOut, nil,
			"its service deployment has not ended: it is IN_PROGRESS at BAKE_TIME"},
		{types.ServiceDeploymentStatusStopRequested, "", journal.RollingOut, RollingOut, nil,
			"its service deployment has not ended: it is STOP_REQUESTED"},
		{types.ServiceDeploymentStatusStopped, "", journal.Failed, Failed, failed, ""},
		{types.ServiceDeploymentStatusSuccessful, "", journal.Succeeded, Steady, succeeded, ""},
		{types.ServiceDeploymentStatusRollbackRequested, "", journal.Failed, Failed, failed, ""},
		{types.ServiceDeploymentStatusRollbackInProgress, "", journal.Failed, Failed, failed, ""},
		{types.ServiceDeploymentStatusRollbackSuccessful, "", journal.Failed, Failed, failed, ""},
		{types.ServiceDeploymentStatusRollbackFailed, "", journal.Failed, Failed, failed, ""},
		{"", "", journal.RollingOut, NotKnown, nil,
			"ECS lists no service deployment of it: whether it has succeeded is not known"},
	} {
		test := func(t *testing.T) {
			a := &publishedAccount{t: t, answer: "blue-green", list: `{"serviceDeployments":[]}`,
				tags: map[string]map[string]string{"11": {}, "12": journalOf(12, 11, "deployer:deployment", failedID)}}
			if tt.status != "" {
				a.list, a.describe = deploymentAnswers(failedID, tt.status, tt.stage, why)
			}
			c := New(a.client())
			c.now = func() time.Time { return time.Unix(1795687200, 0).Add(time.Hour) }
			p, err := c.Progress(t.Context(), publishedTarget, publishedFamily+"12")
			must(t, err)
			if p.Phase != tt.phase || p.Stage != tt.stage {
				t.Errorf("followed: %s at %q, want %s", p.Phase, p.Stage, tt.phase)
			}
			must(t, c.Statuses(t.Context(), publishedTarget.Cluster, []ecsservice.Target{publishedTarget}, &Memory{},
				func(_ int, s Status, err error) {
					must(t, err)
					if s.Condition != tt.condition {
						t.Errorf("condition %s, want %s", s.Condition, tt.condition)
					}
				}))
			var got []outcome.Outcome
			got, reason := a.handle(event.Rollout{Step: event.RolloutCompleted, DeploymentID: failedID,
				Reason: completed}, "blue-green")
			if diff := cmp.Diff(tt.reports, summary(got)); diff != "" || reason != tt.reason {
				t.Errorf("reported: reason %q, %s", reason, diff)
			}
		}
		t.Run(string(tt.status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test) // the time that the service is read again takes is not real
		})
	}
}

// TestShiftedDenied checks that nothing is said to have succeeded if the service
// deployment may not be read.
func TestShiftedDenied(t *testing.T) {
	t.Parallel()
	a := &publishedAccount{t: t, answer: "blue-green",
		tags: map[string]map[string]string{"11": {}, "12": journalOf(12, 11)}}
	c := New(a.client())
	_, err := c.Follow(t.Context(), publishedTarget, publishedFamily+"12", func(Progress) {})
	if fault.NameOf(err) != "AccessDenied" || !strings.HasPrefix(err.Error(),
		`it is not known whether the rollout of "`+publishedFamily+`12" has ended: reading the service deployment`) {
		t.Errorf("followed: %v", err)
	}
	must(t, c.Statuses(t.Context(), publishedTarget.Cluster, []ecsservice.Target{publishedTarget}, &Memory{},
		func(_ int, s Status, err error) {
			must(t, err)
			if s.Condition != NotKnown || s.Failed() || !strings.Contains(s.Progress.Reason, "AccessDenied") {
				t.Errorf("condition %s: %s", s.Condition, s.Progress.Reason)
			}
		}))
	service, err := a.client().DescribeService(t.Context(), publishedTarget)
	must(t, err)
	if phase, _ := c.listedPhase(t.Context(), publishedTarget, service, publishedFamily+"12"); phase != "" {
		t.Errorf("in the history: %s", phase)
	}
	h := NewHandler(a.client())
	e := event.Rollout{Step: event.RolloutCompleted, DeploymentID: failedID}
	if o, err := h.observe(context.Background(), publishedTarget, e, false); fault.NameOf(err) != "AccessDenied" {
		t.Errorf("observed %+v, %v", o, err)
	}
}

// TestShiftedBack handles the events of a blue/green deployment that ECS has rolled
// back: one failure is reported, and the service is shown as rolled back.
func TestShiftedBack(t *testing.T) {
	t.Parallel()
	for _, order := range orders([]event.Rollout{backEnds, fails}) {
		a := &publishedAccount{t: t, answer: "blue-green-back", tags: map[string]map[string]string{
			"11": {}, "12": journalOf(12, 11, "deployer:deployment", failedID)}}
		a.list, a.describe = deploymentAnswers(failedID, types.ServiceDeploymentStatusRollbackSuccessful, "", "why")
		var all []outcome.Outcome
		for _, e := range order {
			reports, _ := a.handle(e, "blue-green-back")
			all = append(all, reports...)
		}
		want := []string{"Deployment Failed of 12: " + breakerText + " Back to 11"}
		if diff := cmp.Diff(want, summary(all)); diff != "" {
			t.Error(diff)
		}
		must(t, New(a.client()).Statuses(t.Context(), publishedTarget.Cluster, []ecsservice.Target{publishedTarget},
			&Memory{}, func(_ int, s Status, err error) {
				must(t, err)
				if s.Condition != RolledBack {
					t.Errorf("condition %s", s.Condition)
				}
			}))
	}
}

// TestShiftedOld checks that a service is steady whose service deployment ECS no
// longer lists: by its journal, or because no deployment lasts that long.
func TestShiftedOld(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		tags map[string]string
		age  time.Duration
		want Condition
	}{
		"by the journal": {journalOf(12, 11, "deployer:deployment", failedID, "deployer:outcome", "succeeded"),
			time.Hour, Steady},
		"by its age": {map[string]string{}, 31 * 24 * time.Hour, Steady},
		"neither":    {map[string]string{}, 29 * 24 * time.Hour, NotKnown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &publishedAccount{t: t, answer: "blue-green", list: `{"serviceDeployments":[]}`,
				tags: map[string]map[string]string{"11": {}, "12": tt.tags}}
			c := New(a.client())
			c.now = func() time.Time { return time.Unix(1795687200, 0).Add(tt.age) }
			must(t, c.Statuses(t.Context(), publishedTarget.Cluster, []ecsservice.Target{publishedTarget}, &Memory{},
				func(_ int, s Status, err error) {
					must(t, err)
					if s.Condition != tt.want {
						t.Errorf("condition %s, want %s", s.Condition, tt.want)
					}
				}))
		})
	}
}

// TestShiftedByNumber replaces a blue/green deployment while it bakes. ECS names the service
// deployment of the newest rollout only: that of the one before is found by its number.
func TestShiftedByNumber(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.settle()
	_, err := a.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
		Service: aws.String(target.Service), DeploymentConfiguration: &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(60)}})
	must(t, err)
	a.settle()
	first := a.deploy(t, "e1", 1, "v1")
	a.settle()
	second := a.deploy(t, "e2", 2, "v2")
	for _, tt := range []struct {
		of   ecsdeploy.Deployment
		want journal.Phase
	}{{first, journal.Superseded}, {second, journal.RollingOut}} {
		service, err := a.services.DescribeService(t.Context(), target)
		must(t, err)
		d, found, err := a.services.DeploymentOf(t.Context(), target, service, tt.of.DeploymentID)
		must(t, err)
		phase := shiftedPhase(d, tt.of.DeploymentID, isPrimary(service, tt.of.DeploymentID))
		if !found || d.Target != tt.of.DeploymentID || phase != tt.want {
			t.Errorf("%s: service deployment of %s is %s: %s, want %s", tt.of.DeploymentID, d.Target, d.Status, phase,
				tt.want)
		}
	}
}

// TestShiftsInProgress checks that no state of the deployment that shifts traffic, and no
// number of its tasks, counts as its success.
func TestShiftsInProgress(t *testing.T) {
	t.Parallel()
	for _, state := range []types.DeploymentRolloutState{"", types.DeploymentRolloutStateCompleted} {
		s := &types.Service{TaskDefinition: aws.String(arn + "f:9"),
			DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyCanary},
			Deployments: []types.Deployment{{Id: aws.String("ecs-svc/9"), TaskDefinition: aws.String(arn + "f:9"),
				Status: aws.String("PRIMARY"), RolloutState: state, DesiredCount: 2, RunningCount: 2}}}
		if p := progressOf(s, rollbacks{}, arn+"f:9"); p.Ended() {
			t.Errorf("state %q: %s", state, p.Phase)
		}
	}
}
