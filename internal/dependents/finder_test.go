package dependents

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestOf changes parameters. The backend's running revision refers to /myproject/dev/db, and
// an older one, which does not run, to /myproject/dev/old.
func TestOf(t *testing.T) {
	t.Parallel()
	clock := emulator.NewClock(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC))
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
	all, err := cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	env, err := environment.Load("../../examples/centralized-dev-ecr/dev.yaml")
	must(t, err)
	env.RedeployOn = []environment.Trigger{environment.Parameters}
	const service = "myproject_service_dev"
	for _, name := range []string{"/myproject/dev/old", "/myproject/dev/db"} {
		clock.Advance(time.Hour)
		refer(t, all["dev"].ECS, env.Cluster, service, name)
	}
	rolledOut := clock.Now()
	clock.Advance(time.Hour) // the family's newest revision does not run
	register(t, all["dev"].ECS, service, "/myproject/dev/next")
	finder := New(ecsservice.New(all["dev"].Config))
	of := func(name string) (names []string, began time.Time) {
		change := event.Read([]byte(`{"id":"c","detail-type":"Parameter Store Change","source":"aws.ssm",
			"account":"111111111111","region":"us-east-1",
			"time":"2026-01-22T12:00:00Z","resources":["arn:aws:ssm:us-east-1:111111111111:parameter`+name+`"],
			"detail":{"operation":"Update","name":"`+name+`","type":"SecureString"}}`), env, clock.Now()).Change
		found, skipped, err := finder.Of(t.Context(), env, change)
		must(t, err)
		if len(skipped) > 0 {
			t.Errorf("%s: skipped %s", name, skipped)
		}
		for _, one := range found {
			names, began = append(names, one.Workload.Name), one.RolledOut
		}
		return names, began
	}
	for name, want := range map[string][]string{
		"/myproject/dev/db": {"backend"}, "/myproject/dev/old": nil, "/myproject/dev/next": nil,
		"/myproject/dev/db-2": nil, "/myproject/dev": nil,
	} {
		got, began := of(name)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if want != nil && !began.Equal(rolledOut) {
			t.Errorf("%s: its rollout began at %s, want %s", name, began, rolledOut)
		}
	}
	// Revisions never change: of those that were read, none is read again.
	e.ResetCalls()
	of("/myproject/dev/db")
	for _, c := range e.Calls() {
		if c.Operation != "DescribeServices" {
			t.Errorf("it called %s again", c.Operation)
		}
	}
	// What cannot be read is an error, and no service is left out for it.
	denied := emulator.AccessDenied("User: u is not authorized")
	e.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Error: denied})
	if _, _, err := finder.Of(t.Context(), env, event.Change{}); !errors.Is(err, fault.ErrAccessDenied) {
		t.Errorf("the error is %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refer moves a service to a revision whose container refers to a parameter.
func refer(t *testing.T, client *ecs.Client, cluster, service, name string) {
	t.Helper()
	_, err := client.UpdateService(context.WithoutCancel(t.Context()), &ecs.UpdateServiceInput{
		Cluster: aws.String(cluster), Service: aws.String(service),
		TaskDefinition: aws.String(register(t, client, service, name))})
	must(t, err)
}

// register registers a revision of a service's family whose container refers to a parameter, and returns its ARN.
func register(t *testing.T, client *ecs.Client, service, name string) string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	old, err := client.DescribeTaskDefinition(ctx,
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(service)})
	must(t, err)
	d := old.TaskDefinition
	d.ContainerDefinitions[0].Secrets = []types.Secret{{Name: aws.String("DB"), ValueFrom: aws.String(name)}}
	registered, err := client.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{Family: d.Family,
		ContainerDefinitions: d.ContainerDefinitions, NetworkMode: d.NetworkMode, Cpu: d.Cpu, Memory: d.Memory,
		RequiresCompatibilities: d.RequiresCompatibilities, TaskRoleArn: d.TaskRoleArn,
		ExecutionRoleArn: d.ExecutionRoleArn})
	must(t, err)
	return aws.ToString(registered.TaskDefinition.TaskDefinitionArn)
}
