package pipeline

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
)

// TestMissedRollback stops a deployment of a service with a circuit breaker, and delivers no
// event of ECS: the next search for lost pushes reports the end of the rollout, once. If the
// service deployments may not be read, or the deployment was not stopped, it reports nothing.
func TestMissedRollback(t *testing.T) {
	t.Parallel()
	breaker := types.DeploymentConfiguration{
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}}
	for _, tt := range []struct {
		name         string
		stop, denied bool
		after        time.Duration
		want         []string
	}{
		{"stopped", true, false, 30 * time.Minute, []string{"Deployment Failed of e1: v2 on backend"}},
		{"stopped just now, and ECS's event may be on its way", true, false, 4 * time.Minute, nil},
		{"not stopped", false, false, 30 * time.Minute, nil},
		{"its service deployments may not be read", true, true, 30 * time.Minute, nil},
		{"long ago", true, false, 7 * time.Hour, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			account := f.accounts["dev"]
			if _, err := account.Push(t.Context(), "myproject_backend", "two", "v2"); err != nil {
				t.Fatal(err)
			}
			function := f.function()
			cluster, service := aws.String(f.env.Cluster), aws.String("myproject_service_dev")
			if _, err := account.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: cluster,
				Service: service, DeploymentConfiguration: &breaker}); err != nil {
				t.Fatal(err)
			}
			handle := func(raw json.RawMessage) {
				t.Helper()
				f.aws.ResetCalls()
				if _, err := function.Handle(t.Context(), raw); err != nil {
					t.Fatal(err)
				}
			}
			handle(deployEvent("e1", f.clock.Now(), "dev", `{"service":"backend","tag":"v2"}`))
			if tt.stop {
				out, err := account.ECS.ListServiceDeployments(t.Context(),
					&ecs.ListServiceDeploymentsInput{Cluster: cluster, Service: service})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := account.ECS.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{
					ServiceDeploymentArn: out.ServiceDeployments[0].ServiceDeploymentArn}); err != nil {
					t.Fatal(err)
				}
			}
			for end := f.clock.Now().Add(tt.after); f.clock.Now().Before(end); {
				f.clock.Advance(time.Minute)
			}
			if tt.denied {
				f.aws.Inject(emulator.Fault{Operation: "ecs:ListServiceDeployments",
					Error: emulator.AccessDenied("no")})
			}
			handle(json.RawMessage(scheduled))
			var got []string
			for _, o := range f.published(t) {
				got = append(got, fmt.Sprintf("%s of %s: %s on %s", o.Kind, o.EventID, o.Tag, o.Service))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			handle(json.RawMessage(scheduled))
			if again := f.published(t); len(again) > 0 {
				t.Errorf("the next search reports it again: %v", again)
			}
		})
	}
}

// TestMissedMove moves a service back in the middle of a deployment, as a person does, and delivers no event of ECS:
// the next search reports no rollback, whether or not ECS would make one, and its service deployments can be read.
func TestMissedMove(t *testing.T) {
	t.Parallel()
	for _, breaker := range []bool{true, false} {
		for _, denied := range []bool{true, false} {
			t.Run(fmt.Sprintf("breaker %t, denied %t", breaker, denied), func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, "dev")
				account := f.accounts["dev"]
				if _, err := account.Push(t.Context(), "myproject_backend", "two", "v2"); err != nil {
					t.Fatal(err)
				}
				update := func(in ecs.UpdateServiceInput) {
					in.Cluster, in.Service = aws.String(f.env.Cluster), aws.String("myproject_service_dev")
					if _, err := account.ECS.UpdateService(t.Context(), &in); err != nil {
						t.Fatal(err)
					}
				}
				update(ecs.UpdateServiceInput{DeploymentConfiguration: &types.DeploymentConfiguration{
					DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: breaker, Rollback: breaker}}})
				function := f.function()
				for _, step := range []func() json.RawMessage{
					func() json.RawMessage {
						return deployEvent("e1", f.clock.Now(), "dev", `{"service":"backend","tag":"v2"}`)
					},
					func() json.RawMessage {
						f.clock.Advance(10 * time.Second)
						update(ecs.UpdateServiceInput{TaskDefinition: aws.String("myproject_service_dev:1")})
						for range 30 {
							f.clock.Advance(time.Minute)
						}
						if denied {
							f.aws.Inject(emulator.Fault{Operation: "ecs:ListServiceDeployments",
								Error: emulator.AccessDenied("no")})
						}
						return json.RawMessage(scheduled)
					},
				} {
					raw := step()
					f.aws.ResetCalls()
					if _, err := function.Handle(t.Context(), raw); err != nil {
						t.Fatal(err)
					}
				}
				if got := f.published(t); len(got) > 0 {
					t.Errorf("it reports %s of %s", got[0].Kind, got[0].EventID)
				}
			})
		}
	}
}
