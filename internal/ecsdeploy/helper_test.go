package ecsdeploy

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/image"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	host = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
	arn  = "arn:aws:ecs:us-east-1:111111111111:task-definition/"
)

// eventTime is the time of an order's event.
var eventTime = time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)

// target is the service that world makes.
var target = ecsservice.Target{File: "dev.yaml", Workload: "web", Cluster: "c", Service: "p_service_web_dev",
	Family: "p_service_web_dev", Container: "p_service_web_dev", Repository: "p_service_web",
	Registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"}}

// world is an account with the service of target, which runs revision 1 with
// the image p_service_web:v0 by tag, unless changes say otherwise.
type world struct {
	*emulator.Emulator
	*accounts.Account
	clock  *emulator.Clock // an hour before eventTime
	digest string          // of p_service_web:v1
}

func newWorld(t *testing.T, changes ...func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)) *world {
	t.Helper()
	clock := emulator.NewClock(eventTime.Add(-time.Hour))
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now, RolloutStep: time.Second})
	w := &world{Emulator: e, clock: clock, Account: accounts.Connect(url, "111111111111", "us-east-1")}
	must(t, w.Cluster(t.Context(), "c"))
	var err error
	_, err = w.Push(t.Context(), "p_service_web", "v0", "v0")
	must(t, err)
	w.digest, err = w.Push(t.Context(), "p_service_web", "v1", "v1")
	must(t, err)
	_, err = w.Service(t.Context(), "c", target.Service, host+"/p_service_web:v0", changes...)
	must(t, err)
	return w
}

// deploy reads the service and deploys an order. It returns the result, and the
// operations that were called in the order of their start.
func (w *world) deploy(t *testing.T, to ecsservice.Target, o Order) (Deployment, []string, error) {
	t.Helper()
	w.ResetCalls()
	d := New(ecsservice.New(w.Config))
	d.now = w.clock.Now
	deployment, err := func() (Deployment, error) {
		state, err := d.Read(t.Context(), to)
		if err != nil {
			return Deployment{}, err
		}
		return d.Deploy(t.Context(), state, o)
	}()
	var calls []string
	for _, c := range w.Calls() {
		calls = append(calls, c.Operation)
	}
	return deployment, calls, err
}

// register adds a revision to a family, as another tool does.
func (w *world) register(t *testing.T, family, image string) {
	t.Helper()
	before, err := w.ECS.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(target.Family)})
	must(t, err)
	in := clone(ecsservice.Revision{TaskDefinition: before.TaskDefinition})
	in.Family = aws.String(family)
	in.ContainerDefinitions[0].Image = aws.String(image)
	_, err = w.ECS.RegisterTaskDefinition(t.Context(), in)
	must(t, err)
}

// order returns an order for the image web:v1 with the given digest.
func order(digest string) Order {
	return Order{
		Image: image.Reference{Host: host, Repository: "p_service_web", Tag: "v1", Digest: digest},
		Cause: event.Cause{ID: "e1", Time: eventTime, Source: "action.dev", Actor: "ada", Reason: `because "of" it`},
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// tagOf returns the value of a tag, "" if there is none under the key.
func tagOf(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}
