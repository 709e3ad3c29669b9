package ecs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestServiceErrors(t *testing.T) {
	t.Parallel()
	const codeDeploy = `,"deploymentController":{"type":"CODE_DEPLOY"}`
	const external = `,"deploymentController":{"type":"EXTERNAL"}`
	eleven := `"` + strings.Repeat(`web","`, 10) + `web"`
	tests := []struct {
		name       string
		more       string // of the service web
		call, body string
		want       string
	}{
		{"no such service", "", "ecs:UpdateService", `{"cluster":"c","service":"api"}`,
			`{"__type":"ServiceNotFoundException","message":"Service not found."}`},
		{"no such cluster", "", "ecs:UpdateService", `{"cluster":"d","service":"web"}`,
			`{"__type":"ClusterNotFoundException","message":"Cluster not found."}`},
		{"the default cluster, which does not exist", "", "ecs:DescribeServices", `{"services":["web"]}`,
			`{"__type":"ClusterNotFoundException","message":"Cluster not found."}`},
		{"another account's cluster", "", "ecs:DescribeServices",
			`{"cluster":"arn:aws:ecs:us-east-1:333333333333:cluster/c","services":["web"]}`,
			`{"__type":"ClusterNotFoundException","message":"Cluster not found."}`},
		{"another cluster's service", "", "ecs:UpdateService",
			`{"cluster":"c","service":"arn:aws:ecs:us-east-1:111111111111:service/d/web"}`,
			`{"__type":"InvalidParameterException","message":"Identifier is for cluster d. Your cluster is c"}`},
		{"no such task definition", "", "ecs:UpdateService", `{"cluster":"c","service":"web","taskDefinition":"api"}`,
			`{"__type":"ClientException","message":"TaskDefinition not found."}`},
		{"an INACTIVE task definition", "", "ecs:UpdateService",
			`{"cluster":"c","service":"web","taskDefinition":"old:1"}`,
			`{"__type":"ClientException","message":"TaskDefinition is inactive"}`},
		{"a service that exists", "", "ecs:CreateService",
			`{"cluster":"c","serviceName":"web","taskDefinition":"web"}`,
			`{"__type":"InvalidParameterException","message":"Creation of service was not idempotent."}`},
		{"no task definition", "", "ecs:CreateService", `{"cluster":"c","serviceName":"api"}`,
			`{"__type":"InvalidParameterException","message":"TaskDefinition can not be blank."}`},
		{"awsvpc without a network", "", "ecs:CreateService",
			`{"cluster":"c","serviceName":"api","taskDefinition":"vpc"}`,
			`{"__type":"InvalidParameterException","message":"Network Configuration must be provided when ` +
				`networkMode 'awsvpc' is specified."}`},
		{"CODE_DEPLOY, a task definition", codeDeploy, "ecs:UpdateService",
			`{"cluster":"c","service":"web","taskDefinition":"web"}`,
			`{"__type":"InvalidParameterException","message":"Unable to update task definition on services with ` +
				`a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."}`},
		{"CODE_DEPLOY, by force", codeDeploy, "ecs:UpdateService",
			`{"cluster":"c","service":"web","forceNewDeployment":true}`,
			`{"__type":"InvalidParameterException","message":"Cannot force a new deployment on services with a ` +
				`CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."}`},
		{"EXTERNAL, a task definition", external, "ecs:UpdateService",
			`{"cluster":"c","service":"web","taskDefinition":"web"}`,
			`{"__type":"InvalidParameterException","message":"Unable to update task definition on services with ` +
				`a EXTERNAL deployment controller. Use CreateTaskSet to trigger a new deployment."}`},
		{"no services", "", "ecs:DescribeServices", `{"cluster":"c","services":[]}`,
			`{"__type":"InvalidParameterException","message":"Services cannot be empty."}`},
		{"too many services", "", "ecs:DescribeServices", `{"cluster":"c","services":[` + eleven + `]}`,
			`{"__type":"InvalidParameterException","message":"Services cannot have more than 10 elements."}`},
		{"delete while it runs", "", "ecs:DeleteService", `{"cluster":"c","service":"web"}`,
			`{"__type":"InvalidParameterException","message":"The service cannot be stopped while it is scaled above ` +
				`0."}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newService(t, tt.more)
			w.Register(t, dev, "old", "nginx")
			w.Do(t, dev, "ecs:DeregisterTaskDefinition", `{"taskDefinition":"old:1"}`)
			w.Do(t, dev, "ecs:RegisterTaskDefinition",
				`{"family":"vpc","networkMode":"awsvpc","containerDefinitions":[{"name":"app","image":"nginx",`+
					`"memory":128}]}`)
			status, got := w.Raw(t, dev, tt.call, tt.body)
			if status != 400 {
				t.Errorf("status %d, want 400", status)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeletedService(t *testing.T) {
	t.Parallel()
	w := newService(t, "")
	w.Do(t, dev, "ecs:DeleteService", `{"cluster":"c","service":"web","force":true}`)
	got, err := w.ECS(dev).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: new("c"),
		Services: []string{"web", "api"}})
	if err != nil {
		t.Fatal(err)
	}
	if status := *got.Services[0].Status; status != "INACTIVE" {
		t.Errorf("the service is %s, want INACTIVE", status)
	}
	if d := got.Services[0].Deployments; len(d) != 1 || *d[0].Status != "PRIMARY" || d[0].DesiredCount != 0 ||
		d[0].RunningCount != 0 {
		t.Errorf("it has the deployments %v, want its last, with no tasks", d)
	}
	missing := *got.Failures[0].Arn + " " + *got.Failures[0].Reason
	if want := "arn:aws:ecs:us-east-1:111111111111:service/c/api MISSING"; missing != want {
		t.Errorf("the failure is %q, want %q", missing, want)
	}
	_, err = w.ECS(dev).UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: new("c"), Service: new("web")})
	emulatortest.WantError(t, err, "ServiceNotActiveException", "Service was not ACTIVE.")
	if listed := w.Do(t, dev, "ecs:ListServices", `{"cluster":"c"}`); listed != `{"serviceArns":[]}` {
		t.Errorf("listed: %s", listed)
	}
	w.Do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web"}`)
}

// TestDescribeService: a service has the members that it was created with, and defaults.
func TestDescribeService(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.Register(t, dev, "web", "nginx")
	const sent = `"launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1"],"assignPublicIp":"DISABLED"}},
		"loadBalancers":[{"targetGroupArn":"arn:t","containerName":"app","containerPort":80}],"healthCheckGracePeriodSeconds":30,
		"deploymentConfiguration":{"maximumPercent":150,"minimumHealthyPercent":50}`
	w.Do(t, dev, "ecs:CreateService", `{"cluster":"c","serviceName":"web","taskDefinition":"web:1",`+
		`"tags":[{"key":"a","value":"b"}],`+sent+`}`)
	w.Clock.Advance(100 * 60e9)
	n := names{}
	got := n.replace(w.Do(t, dev, "ecs:DescribeServices", `{"cluster":"arn:aws:ecs:us-east-1:111111111111:cluster/c",`+
		`"services":["arn:aws:ecs:us-east-1:111111111111:service/c/web"],"include":["TAGS"]}`))
	want := `{"failures":[],"services":[{` + sent + `,
		"serviceArn":"arn:aws:ecs:us-east-1:111111111111:service/c/web","serviceName":"web","clusterArn":"arn:aws:ecs:us-east-1:111111111111:cluster/c",
		"status":"ACTIVE","desiredCount":0,"runningCount":0,"pendingCount":0,"taskDefinition":"arn:aws:ecs:us-east-1:111111111111:task-definition/web:1",
		"createdAt":1769074200,"createdBy":"arn:aws:iam::111111111111:root","roleArn":"arn:aws:iam::111111111111:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
		"availabilityZoneRebalancing":"DISABLED","deploymentController":{"type":"ECS"},"enableECSManagedTags":false,"enableExecuteCommand":false,
		"placementConstraints":[],"placementStrategy":[],"platformVersion":"LATEST","propagateTags":"NONE","schedulingStrategy":"REPLICA","serviceRegistries":[],
		"tags":[{"key":"a","value":"b"}],
		"currentServiceDeployment":"arn:aws:ecs:us-east-1:111111111111:service-deployment/c/web/s1",
		"currentServiceRevisions":[{"arn":"arn:aws:ecs:us-east-1:111111111111:service-revision/c/web/d1","requestedTaskCount":0,"runningTaskCount":0,"pendingTaskCount":0}],
		"events":[{"createdAt":1769074260,"id":"ID","message":"(service web) has reached a steady state."},
		 {"createdAt":1769074260,"id":"ID","message":"(service web) (deployment d1) deployment completed."}],
		"deployments":[{"id":"d1","status":"PRIMARY","taskDefinition":"arn:aws:ecs:us-east-1:111111111111:task-definition/web:1",
		 "desiredCount":0,"pendingCount":0,"runningCount":0,"failedTasks":0,"createdAt":1769074200,"updatedAt":1769074260,
		 "rolloutState":"COMPLETED","rolloutStateReason":"ECS deployment d1 completed.","launchType":"FARGATE","platformVersion":"LATEST",
		 "networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1"],"assignPublicIp":"DISABLED"}}}]}]}`
	if diff := cmp.Diff(sorted(t, want), emulatortest.HideUUIDs(sorted(t, got))); diff != "" {
		t.Errorf("service (-want +got):\n%s", diff)
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	w := newService(t, "")
	w.Do(t, dev, "ecs:CreateCluster", `{}`)
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`) // it exists: no-op
	steps := []struct{ call, body, want string }{
		{"ecs:ListClusters", `{}`, `{"clusterArns":["arn:aws:ecs:us-east-1:111111111111:cluster/c",` +
			`"arn:aws:ecs:us-east-1:111111111111:cluster/default"]}`},
		{"ecs:ListClusters", `{"maxResults":1}`, `{"clusterArns":["arn:aws:ecs:us-east-1:111111111111:cluster/c"],` +
			`"nextToken":"MQ=="}`},
		{"ecs:ListServices", `{"cluster":"c"}`, `{"serviceArns":["arn:aws:ecs:us-east-1:111111111111:service/c/web"]}`},
	}
	for _, s := range steps {
		if diff := cmp.Diff(s.want, w.Do(t, dev, s.call, s.body)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", s.call, s.body, diff)
		}
	}
}
