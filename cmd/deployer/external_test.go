package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// registerLikeTerraform registers revisions of the family of service s0 and does not move the service, as Terraform
// does for a service with ignore_changes.
func registerLikeTerraform(ctx context.Context, t *testing.T, dev *accounts.Account, revisions int) {
	t.Helper()
	out, err := dev.ECS.DescribeTaskDefinition(ctx,
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("p_service_s0_dev")})
	must(t, err)
	for range revisions {
		_, err := dev.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
			Family: out.TaskDefinition.Family, ContainerDefinitions: out.TaskDefinition.ContainerDefinitions,
			ExecutionRoleArn: out.TaskDefinition.ExecutionRoleArn, TaskRoleArn: out.TaskDefinition.TaskRoleArn,
			Cpu: out.TaskDefinition.Cpu, Memory: out.TaskDefinition.Memory,
			NetworkMode:             out.TaskDefinition.NetworkMode,
			RequiresCompatibilities: out.TaskDefinition.RequiresCompatibilities,
		})
		must(t, err)
	}
}

// TestRoundTripsWithExternalRevisions checks that external revisions which do not run are read at the same time: before
// the service is moved there are three round trips, for the service and the newest revision, for the revisions between,
// and for the registration.
func TestRoundTripsWithExternalRevisions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		own, external int // revisions that the deployer registered first, and external ones after them
		want          int // round trips before UpdateService
	}{
		{0, 0, 2}, {0, 1, 3}, {0, 5, 3}, {0, 8, 3}, {0, 17, 3}, {0, 18, 4},
		{1, 0, 2}, {1, 1, 3}, {1, 5, 3}, {3, 5, 3}, {1, 17, 3}, {1, 30, 5},
	} {
		t.Run(fmt.Sprintf("%d own, %d external", tt.own, tt.external), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, p := newFakeTime(t, 1)
				dev := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region)
				dev = dev.With(func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: e} })
				deploy := func(tag string) {
					t.Helper()
					time.Sleep(time.Minute)
					_, err := dev.PushIndex(t.Context(), "p_service_s0", tag, []string{"linux/amd64"}, "latest")
					must(t, err)
					e.ResetCalls()
					event := deployEventAt(time.Now().Truncate(time.Second), tag, "action.dev", deployS0)
					got, err := p.Handle(withDeadline(t, time.Minute), []byte(event))
					must(t, err)
					if got.Status != "deployed" {
						t.Fatalf("%+v", got)
					}
				}
				for i := range tt.own {
					deploy(fmt.Sprintf("v%d", i))
				}
				time.Sleep(time.Hour)
				registerLikeTerraform(t.Context(), t, dev, tt.external)
				time.Sleep(time.Hour)
				const latency = 100 * time.Millisecond
				e.Inject(emulator.Fault{Operation: "*", Latency: latency})
				deploy("new")
				calls := e.Calls()
				slices.SortStableFunc(calls, func(a, b emulator.Call) int { return a.Start.Compare(b.Start) })
				trips := 0
				var end time.Time
				for _, c := range calls {
					if c.Operation == "UpdateService" {
						break
					}
					if c.Start.After(end) || c.Start.Equal(end) {
						trips, end = trips+1, c.End
					}
					t.Log(c.Start.Sub(calls[0].Start), c.Operation)
				}
				if trips != tt.want {
					t.Errorf("%d round trips before UpdateService, want %d", trips, tt.want)
				}
			})
		})
	}
}
