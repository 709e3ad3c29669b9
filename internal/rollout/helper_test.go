package rollout

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	host = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
	arn  = "arn:aws:ecs:us-east-1:111111111111:task-definition/"
)

// eventTime is the time of the tests' events.
var eventTime = time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)

// target is the service of newAccount.
var target = ecsservice.Target{File: "dev.yaml", Workload: "web", Cluster: "c", Service: "p_service_web_dev",
	Family: "p_service_web_dev", Container: "p_service_web_dev", Repository: "p_service_web",
	Registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"}}

// testAccount is an account with the service of target, which runs revision 1
// with the image p_service_web:v0. Its clock stands an hour before eventTime.
type testAccount struct {
	*accounts.Account
	emulator *emulator.Emulator
	clock    *emulator.Clock
	services *ecsservice.Client
	rollouts *Client
}

func newAccount(t *testing.T) testAccount {
	t.Helper()
	clock := emulator.NewClock(eventTime.Add(-time.Hour))
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now, RolloutStep: time.Second})
	a := connect(t, e, accounts.Connect(url, "111111111111", "us-east-1"))
	a.clock = clock
	return a
}

// newInstantAccount is newAccount for a test on fake time, without a network.
func newInstantAccount(t *testing.T, options emulator.Options,
	changes ...func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)) testAccount {
	t.Helper()
	e := emulator.New(options)
	inProcess := func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: e} }
	return connect(t, e, accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(inProcess),
		changes...)
}

func connect(t *testing.T, e *emulator.Emulator, account *accounts.Account,
	changes ...func(*ecs.RegisterTaskDefinitionInput, *ecs.CreateServiceInput)) testAccount {
	t.Helper()
	services := ecsservice.New(account.Config)
	a := testAccount{Account: account, emulator: e, services: services, rollouts: New(services)}
	must(t, a.Cluster(t.Context(), "c"))
	_, err := a.Push(t.Context(), "p_service_web", "v0", "v0")
	must(t, err)
	_, err = a.Service(t.Context(), "c", target.Service, host+"/p_service_web:v0", changes...)
	must(t, err)
	return a
}

// deploy deploys a tag, which it pushes, for an event at eventTime plus so many seconds.
func (a testAccount) deploy(t *testing.T, event string, seconds int, tag string) ecsdeploy.Deployment {
	t.Helper()
	digest, err := a.Push(t.Context(), "p_service_web", tag, tag)
	must(t, err)
	d := ecsdeploy.New(a.services)
	state, err := d.Read(t.Context(), target)
	must(t, err)
	deployment, err := d.Deploy(t.Context(), state, ecsdeploy.Order{
		Cause: causeOf(event, seconds),
		Image: image.Reference{Host: host, Repository: "p_service_web", Tag: tag, Digest: digest},
	})
	must(t, err)
	return deployment
}

// causeOf returns an event at eventTime plus so many seconds.
func causeOf(id string, seconds int) event.Cause {
	return event.Cause{ID: id, Time: eventTime.Add(time.Duration(seconds) * time.Second)}
}

// register adds a revision to a family, as another tool does.
func (a testAccount) register(t *testing.T, family, image string) {
	t.Helper()
	_, err := a.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{Family: aws.String(family),
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("app"), Image: aws.String(image),
			Memory: aws.Int32(128)}}})
	must(t, err)
}

// moveTo moves the target's service to a revision, as another tool does.
func (a testAccount) moveTo(t *testing.T, revision string) {
	t.Helper()
	_, err := a.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
		Service: aws.String(target.Service), TaskDefinition: aws.String(revision)})
	must(t, err)
}

// note adds a note to the journal of a revision of the target's family.
func (a testAccount) note(t *testing.T, revision string, n journal.Note) {
	t.Helper()
	must(t, a.services.AddNote(t.Context(), journal.Record{TaskDefinition: revision}, n))
}

// settle lets the service's rollouts end.
func (a testAccount) settle() {
	for range 5 {
		a.clock.Advance(time.Second)
		a.emulator.Tick()
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
