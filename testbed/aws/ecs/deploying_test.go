package ecs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// blueGreen returns the JSON member for a blue/green deployment that bakes for five minutes; more are further members
// of the configuration.
func blueGreen(more string) string {
	return `,"deploymentConfiguration":{"strategy":"BLUE_GREEN","bakeTimeInMinutes":5` + more + `}`
}

// pauseAt returns the JSON member for a pause hook at a stage, for blueGreen.
func pauseAt(stage, more string) string {
	return `,"lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["` + stage + `"]` + more + `}]`
}

// records returns the service deployments of the service web, newest first.
func (w *env) records(t *testing.T) []types.ServiceDeployment {
	t.Helper()
	listed, err := w.ECS(dev).ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: new("c"),
		Service: new("web")})
	if err != nil {
		t.Fatal(err)
	}
	var arns []string
	for _, d := range listed.ServiceDeployments {
		arns = append(arns, *d.ServiceDeploymentArn)
	}
	described, err := w.ECS(dev).DescribeServiceDeployments(t.Context(),
		&ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range described.ServiceDeployments {
		if b := listed.ServiceDeployments[i]; b.Status != d.Status ||
			*b.TargetServiceRevisionArn != *d.TargetServiceRevision.Arn {
			t.Errorf("listed is %v, described %v", b, d)
		}
	}
	return described.ServiceDeployments
}

// history returns a line for each service deployment, newest first.
func (w *env) history(t *testing.T, n names) []string {
	t.Helper()
	last := func(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
	records := w.records(t)
	for i := len(records) - 1; i >= 0; i-- {
		n.replace(last(*records[i].TargetServiceRevision.Arn)) // the oldest is named first
	}
	var lines []string
	for _, d := range records {
		line := fmt.Sprintf("%s %s %d/%d/%d", d.Status, last(*d.TargetServiceRevision.Arn),
			d.TargetServiceRevision.RequestedTaskCount, d.TargetServiceRevision.PendingTaskCount,
			d.TargetServiceRevision.RunningTaskCount)
		if d.LifecycleStage != "" {
			line += " at " + string(d.LifecycleStage)
		}
		for _, h := range d.LifecycleHookDetails {
			line += fmt.Sprintf(" %s until %s else %s", h.Status, h.ExpiresAt.UTC().Format("15:04"), h.TimeoutAction)
		}
		if d.Rollback != nil {
			line += " back to " + last(*d.Rollback.ServiceRevisionArn)
		}
		if d.FinishedAt != nil {
			line += " finished " + d.FinishedAt.UTC().Format("15:04")
		}
		if d.StatusReason != nil {
			line += ": " + *d.StatusReason
		}
		lines = append(lines, n.replace(line))
	}
	return lines
}

// events returns a line for each event of ECS in the queue.
func (w *env) events(t *testing.T, n names) []string {
	t.Helper()
	var lines []string
	for _, body := range w.Bodies(t, devQueue) {
		var event struct {
			Time   time.Time
			Detail struct{ EventType, EventName, DeploymentID, HookID, LifecycleStage, Reason string }
		}
		if err := json.Unmarshal([]byte(body), &event); err != nil {
			t.Fatal(err)
		}
		d := event.Detail
		lines = append(lines, strings.TrimSpace(n.replace(fmt.Sprintf("%s %s %s %s%s%s %s", event.Time.Format("15:04"),
			d.EventType, d.EventName, d.DeploymentID, d.HookID, d.LifecycleStage, d.Reason))))
	}
	return lines
}

// deploying returns an env whose service web is updated at 09:40 to its second revision with the image; more are
// further members of the UpdateService.
func deploying(t *testing.T, more, image string) (*env, names) {
	t.Helper()
	w := newService(t, "")
	w.AWS.FailImage("broken")
	w.Clock.Advance(8 * time.Minute)
	n := names{}
	w.rollout(t, n)
	w.Rule(t, dev, `{"source":["aws.ecs"]}`, devQueue, "")
	w.Register(t, dev, "web", image)
	w.Do(t, dev, "ecs:UpdateService", `{"cluster":"c","service":"web","taskDefinition":"web"`+more+`}`)
	return w, n
}

// act calls ContinueServiceDeployment for the last hook of the newest service deployment.
func (w *env) act(t *testing.T, action types.DeploymentLifecycleHookAction) error {
	t.Helper()
	newest := w.records(t)[0]
	hook := newest.LifecycleHookDetails[len(newest.LifecycleHookDetails)-1]
	_, err := w.ECS(dev).ContinueServiceDeployment(t.Context(),
		&ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: newest.ServiceDeploymentArn, HookId: hook.HookId,
			Action: action})
	return err
}

// stop calls StopServiceDeployment for the newest service deployment.
func (w *env) stop(t *testing.T, how types.StopServiceDeploymentStopType) error {
	t.Helper()
	_, err := w.ECS(dev).StopServiceDeployment(t.Context(),
		&ecs.StopServiceDeploymentInput{ServiceDeploymentArn: w.records(t)[0].ServiceDeploymentArn, StopType: how})
	return err
}
