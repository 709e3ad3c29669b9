package ecs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestServiceDeploymentErrors(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:ecs:us-east-1:111111111111:service-deployment/c/web/"
	w, _ := deploying(t, blueGreen(pauseAt("POST_SCALE_UP", "")), "nginx:2")
	w.Clock.Advance(time.Minute)
	records := w.records(t)
	paused, over := *records[0].ServiceDeploymentArn, *records[1].ServiceDeploymentArn
	hook := *records[0].LifecycleHookDetails[0].HookId
	tests := []struct{ name, call, body, want string }{
		{"stop a missing service deployment", "ecs:StopServiceDeployment", `{"serviceDeploymentArn":"` + arn + `x"}`,
			`{"__type":"ServiceDeploymentNotFoundException","message":"Service deployment not found."}`},
		{"stop without an ARN", "ecs:StopServiceDeployment", `{"serviceDeploymentArn":"x"}`,
			`{"__type":"InvalidParameterException","message":"Invalid identifier: x"}`},
		{"stop with an unknown type", "ecs:StopServiceDeployment", `{"serviceDeploymentArn":"` + paused +
			`","stopType":"SOMEHOW"}`,
			`{"__type":"InvalidParameterException","message":"Unknown stop type: SOMEHOW"}`},
		{"stop after the end", "ecs:StopServiceDeployment", `{"serviceDeploymentArn":"` + over + `"}`,
			`{"__type":"ConflictException","message":"The service deployment has the status SUCCESSFUL and cannot be ` +
				`stopped."}`},
		{"continue a missing service deployment", "ecs:ContinueServiceDeployment", `{"serviceDeploymentArn":"` + arn +
			`x","hookId":"` + hook + `"}`, `{"__type":"ServiceDeploymentNotFoundException","message":"Service ` +
			`deployment not found."}`},
		{"continue from another hook", "ecs:ContinueServiceDeployment", `{"serviceDeploymentArn":"` + paused +
			`","hookId":"ecs-pause-x"}`, `{"__type":"InvalidParameterException","message":"The lifecycle hook ` +
			`ecs-pause-x is not one of the service deployment."}`},
		{"continue with an unknown action", "ecs:ContinueServiceDeployment", `{"serviceDeploymentArn":"` + paused +
			`","hookId":"` +
			hook + `","action":"WAIT"}`, `{"__type":"InvalidParameterException","message":"Unknown action: WAIT"}`},
		{"describe without an ARN", "ecs:DescribeServiceDeployments", `{"serviceDeploymentArns":[]}`,
			`{"__type":"InvalidParameterException","message":"There must be between 1 and 20 ARNs."}`},
		{"a pause at a stage without pauses", "ecs:UpdateService", `{"cluster":"c","service":"web"` +
			blueGreen(pauseAt("PRODUCTION_TRAFFIC_SHIFT", "")) + `}`,
			`{"__type":"InvalidParameterException","message":"Pause hooks cannot be configured at the ` +
				`PRODUCTION_TRAFFIC_SHIFT stage."}`},
		{"a pause too long", "ecs:UpdateService", `{"cluster":"c","service":"web"` + blueGreen(pauseAt("PRE_SCALE_UP",
			`,"timeoutConfiguration":{"timeoutInMinutes":20161}`)) + `}`,
			`{"__type":"InvalidParameterException","message":"timeoutInMinutes must be between 1 and 20160."}`},
		{"a function", "ecs:CreateService", `{"cluster":"c","serviceName":"api","taskDefinition":"web"` +
			blueGreen(`,"lifecycleHooks":[{"hookTargetArn":"arn","lifecycleStages":["PRE_SCALE_UP"]}]`) + `}`,
			`{"__type":"InvalidParameterException","message":"Lifecycle hooks of functions are not supported by ` +
				`the emulator."}`},
	}
	for _, tt := range tests {
		if status, got := w.Raw(t, dev, tt.call, tt.body); status != 400 || got != tt.want {
			t.Errorf("%s: %d %s, want %s", tt.name, status, got, tt.want)
		}
	}
	if err := w.act(t, types.DeploymentLifecycleHookActionContinue); err != nil {
		t.Fatal(err)
	}
	emulatortest.WantError(t, w.act(t, types.DeploymentLifecycleHookActionContinue), "InvalidParameterException",
		"The lifecycle hook "+hook+" is not awaiting an action.")
}

// TestStopFirstDeployment: no deployment completed before, so there is nothing to roll back to.
func TestStopFirstDeployment(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.Register(t, dev, "web", "nginx")
	w.Do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web","desiredCount":2}`)
	emulatortest.WantError(t, w.stop(t, types.StopServiceDeploymentStopTypeRollback), "ConflictException",
		"No rollback candidate was found to run the rollback.")
}

// TestServiceDeploymentsAreAuthorized: stopping and continuing need permission for the service and for its service
// deployment.
func TestServiceDeploymentsAreAuthorized(t *testing.T) {
	t.Parallel()
	const service, deployments = "arn:aws:ecs:us-east-1:111111111111:service/c/web",
		"arn:aws:ecs:us-east-1:111111111111:service-deployment/c/web/*"
	w, _ := deploying(t, blueGreen(pauseAt("PRE_SCALE_UP", "")), "nginx:2")
	newest := w.records(t)[0]
	deployer := w.ECS(dev + "-Deployer")
	resume := func() error {
		_, err := deployer.ContinueServiceDeployment(t.Context(),
			&ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: newest.ServiceDeploymentArn,
				HookId: newest.LifecycleHookDetails[0].HookId})
		return err
	}
	stop := func() error {
		_, err := deployer.StopServiceDeployment(t.Context(),
			&ecs.StopServiceDeploymentInput{ServiceDeploymentArn: newest.ServiceDeploymentArn})
		return err
	}
	for action, call := range map[string]func() error{"ecs:ContinueServiceDeployment": resume,
		"ecs:StopServiceDeployment": stop} {
		for _, only := range []string{service, deployments} {
			w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, emulatortest.Allow(action, only)))
			refused := service
			if only == service {
				refused = *newest.ServiceDeploymentArn
			}
			emulatortest.WantError(t, call(), "AccessDeniedException",
				"User: arn:aws:sts::111111111111:assumed-role/Deployer/session is not authorized to perform: "+action+
					" on resource: "+refused+" because no identity-based policy allows the "+action+" action")
		}
	}
	w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t, emulatortest.Allow("ecs:*", service)),
		emulatortest.Policy(t, emulatortest.Allow("ecs:*", deployments)))
	if err := resume(); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestListServiceDeployments(t *testing.T) {
	t.Parallel()
	w, n := deploying(t, "", "nginx:2")
	w.Clock.Advance(time.Hour)
	w.Register(t, dev, "web", "nginx:3")
	w.update(t, "web")
	w.records(t)
	after := func(minutes int) *time.Time {
		return new(emulatortest.StartTime.Add(time.Duration(minutes) * time.Minute))
	}
	tests := []struct {
		name string
		in   ecs.ListServiceDeploymentsInput
		want []string
	}{
		{"all", ecs.ListServiceDeploymentsInput{}, []string{"s1 IN_PROGRESS", "s2 SUCCESSFUL", "s3 SUCCESSFUL"}},
		{"of a status", ecs.ListServiceDeploymentsInput{Status: []types.ServiceDeploymentStatus{"PENDING",
			"IN_PROGRESS"}}, []string{"s1 IN_PROGRESS"}},
		{"a page", ecs.ListServiceDeploymentsInput{MaxResults: new(int32(2))}, []string{"s1 IN_PROGRESS",
			"s2 SUCCESSFUL", "more"}},
		{"since", ecs.ListServiceDeploymentsInput{CreatedAt: &types.CreatedAt{After: after(10)}},
			[]string{"s1 IN_PROGRESS", "s2 SUCCESSFUL"}},
		{"before", ecs.ListServiceDeploymentsInput{CreatedAt: &types.CreatedAt{Before: after(9)}},
			[]string{"s3 SUCCESSFUL"}},
	}
	for _, tt := range tests {
		tt.in.Cluster, tt.in.Service = new("c"), new("web")
		listed, err := w.ECS(dev).ListServiceDeployments(t.Context(), &tt.in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range listed.ServiceDeployments {
			arn := n.replace(*d.ServiceDeploymentArn)
			got = append(got, arn[strings.LastIndexByte(arn, '/')+1:]+" "+string(d.Status))
		}
		if listed.NextToken != nil {
			got = append(got, "more")
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	described, err := w.ECS(dev).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: new("c"),
		Services: []string{"web"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := n.replace(*described.Services[0].CurrentServiceDeployment); !strings.HasSuffix(got, "/s1") {
		t.Errorf("the current service deployment is %s, want s1", got)
	}
	// A deleted service has no service deployments.
	w.Do(t, dev, "ecs:DeleteService", `{"cluster":"c","service":"web","force":true}`)
	if got := w.Do(t, dev, "ecs:ListServiceDeployments",
		`{"cluster":"c","service":"web"}`); got != `{"serviceDeployments":[]}` {
		t.Errorf("of a deleted service: %s", got)
	}
}
