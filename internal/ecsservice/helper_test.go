package ecsservice

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	host   = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
	arn    = "arn:aws:ecs:us-east-1:111111111111:task-definition/"
	digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

// eventTime is the time of the tests' events.
var eventTime = time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)

// target is the service of newAccount.
var target = Target{File: "dev.yaml", Workload: "web", Cluster: "c", Service: "p_service_web_dev",
	Family: "p_service_web_dev", Container: "p_service_web_dev", Repository: "p_service_web",
	Registry: image.Registry{AccountID: "111111111111", Region: "us-east-1"}}

// testAccount is an account with the service of target, which runs revision 1
// with the image p_service_web:v0. Its clock stands an hour before eventTime.
type testAccount struct {
	*accounts.Account
	services *Client
	emulator *emulator.Emulator
}

func newAccount(t *testing.T) testAccount {
	t.Helper()
	clock := emulator.NewClock(eventTime.Add(-time.Hour))
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
	a := testAccount{Account: accounts.Connect(url, "111111111111", "us-east-1"), emulator: e}
	a.services = New(a.Config)
	must(t, a.Cluster(t.Context(), "c"))
	_, err := a.Push(t.Context(), "p_service_web", "v0", "v0")
	must(t, err)
	_, err = a.Service(t.Context(), "c", target.Service, host+"/p_service_web:v0")
	must(t, err)
	return a
}

// register adds a revision with an image and tags to the target's family.
func (a testAccount) register(t *testing.T, image string, tags ...journal.Tag) {
	t.Helper()
	in := &ecs.RegisterTaskDefinitionInput{Family: aws.String(target.Family), Tags: SDKTags(tags),
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("app"), Image: aws.String(image),
			Memory: aws.Int32(128)}}}
	_, err := a.ECS.RegisterTaskDefinition(t.Context(), in)
	must(t, err)
}

// moveTo moves the target's service to a revision of its family.
func (a testAccount) moveTo(t *testing.T, revision string) {
	t.Helper()
	_, err := a.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("c"),
		Service: aws.String(target.Service), TaskDefinition: aws.String(revision)})
	must(t, err)
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
