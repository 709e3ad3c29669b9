package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/testbed/aws/emulator"
)

// TestRedeployByTag redeploys a service whose revisions name their image by a tag, which is on another image by now: it
// keeps the image that it runs.
func TestRedeployByTag(t *testing.T) {
	t.Parallel()
	for name, redeploy := range map[string]func(*testing.T, *fixture) Result{
		"for a change": func(t *testing.T, f *fixture) Result { return f.changed(t, "c") },
		"for an event": func(t *testing.T, f *fixture) Result {
			f.pass(time.Minute)
			return f.handle(t, string(deployEvent("r", f.clock.Now(), "dev",
				`{"service":"backend","action":"redeploy","force":true}`)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := referring(t)
			f.env.ImageForm = environment.ByTag
			digest, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "stable")
			if err != nil {
				t.Fatal(err)
			}
			f.handle(t, string(deployEvent("d", f.clock.Now(), "dev", `{"service":"backend","tag":"stable"}`)))
			f.pass(10 * time.Minute)
			if _, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v3", "stable"); err != nil {
				t.Fatal(err)
			}
			if got := redeploy(t, f); got.Status != "deployed" || got.Deployments[0].Tag != "stable" {
				t.Fatalf("%+v", got)
			}
			out, err := f.accounts["dev"].ECS.DescribeTaskDefinition(t.Context(),
				&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(backend)})
			if err != nil {
				t.Fatal(err)
			}
			image := aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image)
			if !strings.HasSuffix(image, "/myproject_backend@"+digest) {
				t.Errorf("it runs %s, want %s", image, digest)
			}
		})
	}
}

// TestChangeBesideDeploy deploys v2 around a change. Tasks that a rollback by ECS keeps, or starts, are of before the
// change, or may be: what it restores is rolled out.
func TestChangeBesideDeploy(t *testing.T) {
	t.Parallel()
	const after, moved = "parameter /db changed, and a rollout of backend began after that",
		"the service is being moved to the new revision"
	for name, tt := range map[string]struct {
		deployed time.Duration // after the change
		breaks   bool
		denied   bool // ListServiceDeployments
		want     string
	}{
		"just before the change":                {-2 * time.Second, false, false, "v2: " + moved},
		"in its second":                         {400 * time.Millisecond, false, false, "v2: " + moved},
		"after the change":                      {5 * time.Second, false, false, after},
		"after the change, and it fails":        {5 * time.Second, true, false, "v1: " + moved},
		"before the change, and it fails after": {-2 * time.Second, true, false, "v1: " + moved},
		"what failed is not known":              {5 * time.Second, true, true, after},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := referring(t)
			digest, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "v2")
			if err != nil {
				t.Fatal(err)
			}
			if tt.breaks {
				f.aws.FailImage(digest)
			}
			at := f.clock.Now().Truncate(time.Second).Add(time.Minute)
			f.clock.Advance(at.Add(tt.deployed).Sub(f.clock.Now()))
			f.handle(t, string(deployEvent("d", f.clock.Now(), "dev", `{"service":"backend","tag":"v2"}`)))
			for range 12 {
				f.clock.Advance(10 * time.Second)
				f.aws.Tick()
			}
			if tt.denied {
				no := emulator.AccessDenied("no")
				f.aws.Inject(emulator.Fault{Operation: "ecs:ListServiceDeployments", Error: no})
			}
			got := f.handle(t, parameterChanged("c", at))
			result := got.Reason
			if len(got.Deployments) > 0 {
				result = got.Deployments[0].Tag + ": " + result
			}
			if result != tt.want {
				t.Errorf("%s: %s, want %s", got.Status, result, tt.want)
			}
		})
	}
}

// TestChangeOfServices changes the parameter to which the backend refers, in other states of the services.
func TestChangeOfServices(t *testing.T) {
	t.Parallel()
	const changed, none = "parameter /db changed", ", and no running revision of dev refers to it"
	create := func(t *testing.T, f *fixture, name string, controller types.DeploymentControllerType) {
		client, cluster := f.accounts["dev"].ECS, aws.String(f.env.Cluster)
		if _, err := client.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: cluster,
			Service: aws.String(name), Force: aws.Bool(true)}); err != nil {
			t.Fatal(err)
		}
		f.pass(2 * time.Minute)
		if controller == "" {
			return
		}
		if _, err := client.CreateService(t.Context(), &ecs.CreateServiceInput{Cluster: cluster,
			ServiceName: aws.String(name), TaskDefinition: aws.String(name), DesiredCount: aws.Int32(1),
			DeploymentController: &types.DeploymentController{Type: controller},
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
				Subnets: []string{"subnet-1"}}}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		act            func(*testing.T, *fixture)
		status, reason string
	}{
		"no tasks": {func(t *testing.T, f *fixture) {
			if _, err := f.accounts["dev"].ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{
				Cluster: aws.String(f.env.Cluster), Service: aws.String(backend), DesiredCount: aws.Int32(0),
			}); err != nil {
				t.Fatal(err)
			}
			f.pass(10 * time.Minute)
		}, "deployed", "the service is being moved to the new revision"},
		"the service was deleted": {func(t *testing.T, f *fixture) {
			create(t, f, backend, "")
		}, "ignored", changed + none},
		"another controller": {func(t *testing.T, f *fixture) {
			create(t, f, backend, types.DeploymentControllerTypeCodeDeploy)
		}, "ignored", changed + none + "; not looked at, because their deployment controller is not ECS: backend"},
		"another controller of another service": {func(t *testing.T, f *fixture) {
			create(t, f, "myproject_service_worker_dev", types.DeploymentControllerTypeExternal)
		}, "deployed", "the service is being moved to the new revision"},
		"an external rollout began in its second": {func(t *testing.T, f *fixture) {
			f.clock.Advance(f.clock.Now().Truncate(time.Second).Add(1400 * time.Millisecond).Sub(f.clock.Now()))
			f.revise(t, backend, func(*types.ContainerDefinition) {})
		}, "deployed", "the service is being moved to the new revision"},
		"a rollout is in progress": {func(t *testing.T, f *fixture) {
			if _, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "v2"); err != nil {
				t.Fatal(err)
			}
			f.handle(t, string(deployEvent("d", f.clock.Now(), "dev", `{"service":"backend","tag":"v2"}`)))
			f.clock.Advance(2 * time.Second)
		}, "deployed", "the service is being moved to the new revision"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := referring(t)
			tt.act(t, f)
			got := f.changed(t, "c")
			if string(got.Status) != tt.status || got.Reason != tt.reason {
				t.Errorf("%s: %s, want %s: %s", got.Status, got.Reason, tt.status, tt.reason)
			}
		})
	}
}

// TestChangeUnread changes a parameter before a rollout begins, and ListServiceDeployments fails: whether that rollout
// failed is read later, not guessed. Where the call is denied, a rollback that ECS names is no rollout after the
// change.
func TestChangeUnread(t *testing.T) {
	t.Parallel()
	deployed := func(t *testing.T) (f *fixture, change string) {
		f = referring(t)
		digest, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "v2", "v2")
		if err != nil {
			t.Fatal(err)
		}
		f.aws.FailImage(digest)
		at := f.clock.Now().Truncate(time.Second)
		f.clock.Advance(-f.clock.Now().Sub(at) + 5*time.Second)
		f.handle(t, string(deployEvent("d", f.clock.Now(), "dev", `{"service":"backend","tag":"v2"}`)))
		return f, parameterChanged("c", at)
	}
	t.Run("unavailable", func(t *testing.T) {
		t.Parallel()
		f, change := deployed(t)
		f.pass(5 * time.Minute)
		f.aws.Inject(emulator.Fault{Operation: "ecs:ListServiceDeployments", Error: emulator.ErrServerFault})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err := f.function().Handle(ctx, []byte(change))
		if !fault.IsUnavailable(err) || !strings.HasPrefix(err.Error(), "listing the rollouts of service "+
			`"myproject_service_dev" in cluster "myproject_cluster_dev": `) {
			t.Errorf("%s: %s: %v", got.Status, got.Reason, err)
		}
	})
	t.Run("denied while ECS rolls back", func(t *testing.T) {
		t.Parallel()
		f, change := deployed(t)
		for n := 0; ; n++ {
			out, err := f.accounts["dev"].ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
				Cluster: aws.String(f.env.Cluster), Services: []string{backend}})
			if err != nil || n == 200 {
				t.Fatal("ECS does not roll back: ", err)
			}
			if slices.ContainsFunc(out.Services[0].Deployments, ecsservice.IsRollback) {
				break
			}
			f.clock.Advance(time.Second)
			f.aws.Tick()
		}
		f.aws.Inject(emulator.Fault{Operation: "ecs:ListServiceDeployments", Error: emulator.AccessDenied("no")})
		got, err := f.function().Handle(t.Context(), []byte(change))
		if !errors.Is(err, fault.ErrRollbackInProgress) {
			t.Errorf("%s: %s: %v", got.Status, got.Reason, err)
		}
	})
}
