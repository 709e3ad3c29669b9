package event

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// rolled returns an ECS event about a service.
func rolled(detailType, account, service, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":"e3","detail-type":%q,"source":"aws.ecs","account":%q,`+
		`"time":"2026-01-22T10:15:30Z","region":"us-east-1",`+
		`"resources":["arn:aws:ecs:us-east-1:333333333333:service/%s"],"detail":%s}`,
		detailType, account, service, detail)
}

const (
	change    = "ECS Deployment State Change"
	action    = "ECS Service Action"
	completed = `{"eventType":"INFO","eventName":"SERVICE_DEPLOYMENT_COMPLETED","deploymentId":"ecs-svc/1",` +
		`"updatedAt":"2026-01-22T10:15:30Z","reason":"ECS deployment ecs-svc/1 completed."}`
	impaired = `{"eventType":"WARN","eventName":"SERVICE_TASK_START_IMPAIRED",` +
		`"clusterArn":"arn:aws:ecs:us-east-1:333333333333:cluster/myproject_cluster_prod",` +
		`"createdAt":"2026-01-22T10:15:30Z"}`
)

func TestRollout(t *testing.T) {
	t.Parallel()
	prod := load(t, "prod")
	api, _ := prod.Find("web-api", environment.Services...)
	followed := func(what string, r Rollout) Reading {
		r.Workload = api
		return Reading{ID: "e3", Verdict: Followed, Reason: what + " of web-api",
			At: time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC), Rollout: r}
	}
	ignored := func(reason string) Reading { return Reading{ID: "e3", Verdict: Ignored, Reason: reason} }
	unexpected := func(reason string) Reading {
		return Reading{ID: "e3", Verdict: Ignored, Unexpected: true, Reason: reason}
	}
	const service = "myproject_cluster_prod/myproject_service_web-api_prod"
	tests := []struct {
		name, event string
		want        Reading
	}{
		{"completed", rolled(change, "333333333333", service, completed),
			followed("SERVICE_DEPLOYMENT_COMPLETED",
				Rollout{Step: RolloutCompleted, DeploymentID: "ecs-svc/1",
					Reason: "ECS deployment ecs-svc/1 completed."})},
		{"impaired", rolled(action, "333333333333", service, impaired),
			followed("SERVICE_TASK_START_IMPAIRED", Rollout{Step: TasksImpaired})},
		{"steady", rolled(action, "333333333333", service, `{"eventName":"SERVICE_STEADY_STATE"}`),
			ignored(`the ECS event "SERVICE_STEADY_STATE" is not a rollout step that the deployer handles`)},
		{"impaired with the wrong type", rolled(change, "333333333333", service, impaired),
			ignored(`the ECS event "SERVICE_TASK_START_IMPAIRED" is not a rollout step that the deployer handles`)},
		{"another cluster", rolled(change, "333333333333", "other/myproject_service_web-api_prod", completed),
			ignored(
				`the service "arn:aws:ecs:us-east-1:333333333333:service/other/myproject_service_web-api_prod" is ` +
					`not in cluster myproject_cluster_prod of prod`)},
		{"another account", rolled(change, "222222222222", service, completed),
			ignored(`the event is of account 222222222222, and prod is in 333333333333`)},
		{"another service of the cluster",
			rolled(change, "333333333333", "myproject_cluster_prod/myproject_service_web_prod", completed),
			ignored(`the service "myproject_service_web_prod" is not a workload of myproject`)},
		{"no id", rolled(change, "333333333333", service, `{"eventName":"SERVICE_DEPLOYMENT_FAILED","deploymentId":7}`),
			unexpected(`the ECS event is not of a rollout that the deployer can follow: "deploymentId" is "", ` +
				`not like ecs-svc/1234567890`)},
		{"an id of another form", rolled(change, "333333333333", service,
			`{"eventName":"SERVICE_DEPLOYMENT_COMPLETED","deploymentId":"EZe5pZ0kTx2qexample"}`),
			unexpected(`the ECS event is not of a rollout that the deployer can follow: "deploymentId" is ` +
				`"EZe5pZ0kTx2qexample", not like ecs-svc/1234567890`)},
		{"a malformed detail", rolled(change, "333333333333", service, `"SERVICE_DEPLOYMENT_FAILED"`),
			unexpected(`the ECS event is not as AWS documents it: "detail" is a string, not a JSON object`)},
		{"a service with the old form of ARN",
			rolled(change, "333333333333", "myproject_service_web-api_prod", completed),
			followed("SERVICE_DEPLOYMENT_COMPLETED",
				Rollout{Step: RolloutCompleted, DeploymentID: "ecs-svc/1",
					Reason: "ECS deployment ecs-svc/1 completed."})},
		{"impaired, with the old form of ARN",
			rolled(action, "333333333333", "myproject_service_web-api_prod", impaired),
			followed("SERVICE_TASK_START_IMPAIRED", Rollout{Step: TasksImpaired})},
		{"impaired in another cluster, with the old form of ARN",
			rolled(action, "333333333333", "myproject_service_web-api_prod",
				strings.Replace(impaired, "cluster/myproject_cluster_prod", "cluster/tools", 1)),
			ignored(`the service "arn:aws:ecs:us-east-1:333333333333:service/myproject_service_web-api_prod" is in ` +
				`cluster "arn:aws:ecs:us-east-1:333333333333:cluster/tools", not in myproject_cluster_prod of prod`)},
		{"impaired, with the old form of ARN and no cluster",
			rolled(action, "333333333333", "myproject_service_web-api_prod",
				`{"eventName":"SERVICE_TASK_START_IMPAIRED"}`),
			followed("SERVICE_TASK_START_IMPAIRED", Rollout{Step: TasksImpaired})},
		{"another service with the old form of ARN", rolled(change, "333333333333", "other", completed),
			ignored(`the service "other" is not a workload of myproject`)},
		{"an old form of ARN of another account", strings.Replace(rolled(change, "333333333333", "other", completed),
			"arn:aws:ecs:us-east-1:333333333333:", "arn:aws:ecs:us-east-1:222222222222:", 1),
			ignored(`the service "arn:aws:ecs:us-east-1:222222222222:service/other" is in account 222222222222 in ` +
				`us-east-1, and prod is in 333333333333 in us-east-1`)},
		{"the old form of ARN in another account", rolled(change, "222222222222", "myproject_service_web-api_prod",
			completed),
			ignored(`the event is of account 222222222222, and prod is in 333333333333`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, unclaimed(Read([]byte(tt.event), prod, now))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestClaims checks what a rejected event reports about itself, by which its sender can be found.
func TestClaims(t *testing.T) {
	t.Parallel()
	cause := Cause{ID: "e1", Time: time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC), Source: "action.production"}
	ada := cause
	ada.Actor = "ada"
	for detail, want := range map[string]Claims{
		`{"service":"web","task":"t","tag":"git-","actor":"ada","reason":5}`: {Cause: ada, Service: "web", Tag: "git-"},
		`{"service":"","task":"t","tag":""}`:                                 {Cause: cause, Service: "task:t"},
	} {
		got := Read([]byte(deployment("action.production", detail)), load(t, "prod"), now)
		if diff := cmp.Diff(want, got.Claims); diff != "" || got.Verdict != Rejected {
			t.Error(got.Verdict, diff)
		}
	}
}
