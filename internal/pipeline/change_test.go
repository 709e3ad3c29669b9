package pipeline

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/environment"
	"deployer/internal/retry"
)

// backend is dev's ECS service of the backend.
const backend = "myproject_service_dev"

// referring is a fixture in which dev's backend, which runs v1, refers to the parameter /db.
func referring(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, "dev")
	f.env.RedeployOn = []environment.Trigger{environment.Parameters}
	f.revise(t, backend, func(d *types.ContainerDefinition) {
		d.Secrets = []types.Secret{{Name: aws.String("DB"), ValueFrom: aws.String("/db")}}
	})
	f.pass(10 * time.Minute)
	return f
}

// revise moves a service of dev to a new revision with a changed container, without the deployer.
func (f *fixture) revise(t *testing.T, service string, change func(*types.ContainerDefinition)) {
	t.Helper()
	client := f.accounts["dev"].ECS
	out, err := client.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(service)})
	if err != nil {
		t.Fatal(err)
	}
	d := out.TaskDefinition
	change(&d.ContainerDefinitions[0])
	registered, err := client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{Family: d.Family,
		ContainerDefinitions: d.ContainerDefinitions, NetworkMode: d.NetworkMode, Cpu: d.Cpu, Memory: d.Memory,
		RequiresCompatibilities: d.RequiresCompatibilities, TaskRoleArn: d.TaskRoleArn,
		ExecutionRoleArn: d.ExecutionRoleArn})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(f.env.Cluster),
		Service: aws.String(service), TaskDefinition: registered.TaskDefinition.TaskDefinitionArn})
	if err != nil {
		t.Fatal(err)
	}
}

// pass lets the time pass, and rollouts go on.
func (f *fixture) pass(d time.Duration) {
	for range d / time.Minute {
		f.clock.Advance(time.Minute)
		f.aws.Tick()
	}
}

// handle gives the function an event.
func (f *fixture) handle(t *testing.T, event string) Result {
	t.Helper()
	got, err := f.function().Handle(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// changed gives the function the event of a change of the parameter, late enough not to wait.
func (f *fixture) changed(t *testing.T, id string) Result {
	t.Helper()
	at := f.clock.Now()
	f.pass(2 * time.Minute)
	return f.handle(t, parameterChanged(id, at))
}

// parameterChanged returns the event of a change of the parameter.
func parameterChanged(id string, at time.Time) string {
	return fmt.Sprintf(`{"id":%q,"detail-type":"Parameter Store Change","source":"aws.ssm",
		"account":"111111111111","time":%q,"region":"us-east-1",
		"resources":["arn:aws:ssm:us-east-1:111111111111:parameter/db"],
		"detail":{"operation":"Update","name":"/db"}}`, id, at.Format(time.RFC3339))
}

// schedules are the messages that a pipeline scheduled.
type schedules []retry.Message

func (s *schedules) Schedule(_ context.Context, m retry.Message, _ string) error {
	*s = append(*s, m)
	return nil
}

// TestCollect checks until when further changes are waited for. What is due has whole minutes, so that changes of two
// minutes are not handled at the same time: a rollout for the first ones begins before the others are handled.
func TestCollect(t *testing.T) {
	t.Parallel()
	f := referring(t)
	for at, due := range map[string]string{"12:00:00": "12:02:00Z", "12:00:01": "12:02:00Z", "12:00:59": "12:02:00Z",
		"12:01:00": "12:03:00Z", "23:59:30": "00:01:00Z"} {
		now, err := time.Parse(time.DateTime, "2026-01-22 "+at)
		if err != nil {
			t.Fatal(err)
		}
		p, scheduled := f.function(), schedules{}
		p.now, p.scheduler = func() time.Time { return now }, &scheduled
		got, err := p.Handle(t.Context(), []byte(parameterChanged("c", now)))
		until := ""
		if len(scheduled) == 1 {
			until = scheduled[0].Due.Format(time.RFC3339)
		}
		reason := "parameter /db changed; collecting further changes until " + until
		if err != nil || got.Status != "waiting" || got.Reason != reason || !strings.HasSuffix(until, "T"+due) {
			t.Errorf("%s: %+v, %+v, %v", at, got, scheduled, err)
		}
	}
}

// TestLostPushBeforeChange searches for lost pushes after changes of configuration: what runs then was chosen before
// them.
func TestLostPushBeforeChange(t *testing.T) {
	t.Parallel()
	push := func(t *testing.T, f *fixture, content string, tags ...string) string {
		digest, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", content, tags...)
		if err != nil {
			t.Fatal(err)
		}
		f.pass(time.Minute)
		return digest
	}
	deploy := func(t *testing.T, f *fixture, id, tag string) (rollout string) {
		got := f.handle(t, string(deployEvent(id, f.clock.Now(), "dev", `{"service":"backend","tag":"`+tag+`"}`)))
		if got.Status != "deployed" {
			t.Fatalf("%+v", got)
		}
		f.pass(10 * time.Minute)
		return got.Deployments[0].DeploymentID
	}
	for name, tt := range map[string]struct {
		act  func(*testing.T, *fixture) // before the change
		want string                     // of the search after it
	}{
		"a push was lost": {func(t *testing.T, f *fixture) { push(t, f, "v2", "latest") }, "deployed"},
		"after a deployment": {func(t *testing.T, f *fixture) {
			push(t, f, "v2", "v2")
			deploy(t, f, "d1", "v2")
			push(t, f, "v3", "latest")
		}, "deployed"},
		"none was lost": {func(t *testing.T, f *fixture) {
			push(t, f, "v2", "latest")
			deploy(t, f, "d1", "latest")
		}, "unchanged"},
		"another image was chosen since": {func(t *testing.T, f *fixture) {
			push(t, f, "v2", "latest")
			deploy(t, f, "d1", "latest")
			push(t, f, "v3", "v3")
			deploy(t, f, "d2", "v3")
		}, "unchanged"},
		"its rollout failed": {func(t *testing.T, f *fixture) {
			push(t, f, "v2", "v2")
			deploy(t, f, "d1", "v2")
			f.aws.FailImage(push(t, f, "v3", "latest"))
			failed := strings.NewReplacer("COMPLETED", "FAILED", "ecs-svc/1", deploy(t, f, "d2", "latest"),
				"2026-01-22T10:15:00Z", f.clock.Now().Format(time.RFC3339))
			f.handle(t, failed.Replace(rolledOut))
		}, "ignored"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := referring(t)
			tt.act(t, f)
			change := func(count int) {
				for i := range count {
					if got := f.changed(t, fmt.Sprint("c", i)); got.Status != "deployed" {
						t.Fatalf("%d: %+v", i, got)
					}
					f.pass(10 * time.Minute)
				}
			}
			change(2)
			if got := f.handle(t, scheduled); string(got.Status) != tt.want {
				t.Errorf("%+v", got)
			}
			f.pass(10 * time.Minute)
			for range 7 { // as many changes as revisions are read at most, and more
				if got := f.handle(t, scheduled); got.Status == "deployed" {
					t.Errorf("again: %+v", got)
				}
				change(3)
			}
		})
	}
}
