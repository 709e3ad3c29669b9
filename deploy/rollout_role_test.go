package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestRoleOfRollouts reads a paused deployment, and why tasks of an impaired one
// stopped, with the template's role and without each of the statements for that.
func TestRoleOfRollouts(t *testing.T) {
	t.Parallel()
	const exited = "stopped tasks: Essential container in task exited; container myproject_service_web-api_prod " +
		"exited with code 1 (2 tasks)"
	for _, tt := range []struct{ without, impaired, hook string }{
		{"", exited, ""},
		{"ListStoppedTasks", "stopped tasks: reasons not readable: ecs:ListTasks denied", ""},
		{"ReadStoppedTasks", "stopped tasks: reasons not readable: ecs:DescribeTasks denied", ""},
		{"ReadServiceDeployments", exited, "ecs:DescribeServiceDeployments"},
	} {
		t.Run("without "+tt.without, func(t *testing.T) {
			t.Parallel()
			some := slices.DeleteFunc(statements(t, "prod"), func(s any) bool {
				return fmt.Sprint(member(s, "Sid")) == tt.without
			})
			impaired, hook := rolloutWith(t, some)
			if !strings.HasSuffix(impaired, tt.impaired) {
				t.Errorf("%s\nwant it to end: %s", impaired, tt.impaired)
			}
			if (hook == nil) != (tt.hook == "") || hook != nil && !strings.Contains(hook.Error(), tt.hook) {
				t.Errorf("the hook's event: %v, want %q", hook, tt.hook)
			}
		})
	}
}

// rolloutWith deploys a broken image to web-api of prod with the given statements.
// It returns the message of its impairment, and the error of a hook's event.
func rolloutWith(t *testing.T, statements []any) (impaired string, hook error) {
	t.Helper()
	clock := emulator.NewClock(time.Now())
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now, RolloutStep: time.Minute})
	byName, err := cloud.CentralizedDev(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := byName["dev"].Push(t.Context(), "myproject_service_web-api", "v2", "v2"); err != nil {
		t.Fatal(err)
	}
	clock.Advance(10 * time.Minute)
	e.Tick()
	e.FailImage("web-api")
	p, ctx := functionWith(t, e, url, "prod", statements)
	const cluster, service = "myproject_cluster_prod", "myproject_service_web-api_prod"
	_, err = p.Handle(ctx, fmt.Appendf(nil, `{"id":"e1","detail-type":"DEPLOY","source":"action.prod","time":%q,
		"detail":{"service":"web-api","tag":"v2"}}`, time.Now().UTC().Format(time.RFC3339)))
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(90 * time.Second)
	e.Tick()
	event := func(detailType, detail string) []byte {
		return fmt.Appendf(nil, `{"id":"e2","detail-type":%q,"source":"aws.ecs","account":%q,"time":%q,
			"region":"us-east-1","resources":["arn:aws:ecs:us-east-1:%[2]s:service/%[4]s/%[5]s"],"detail":%[6]s}`, detailType, prod,
			clock.Now().UTC().Format(time.RFC3339), cluster, service, detail)
	}
	result, err := p.Handle(ctx, event("ECS Service Action", `{"eventName":"SERVICE_TASK_START_IMPAIRED"}`))
	if err != nil {
		t.Fatal(err)
	}
	list, err := byName["prod"].ECS.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(cluster), Service: aws.String(service)})
	if err != nil {
		t.Fatal(err)
	}
	_, hook = p.Handle(ctx, event("ECS Hook State Change", fmt.Sprintf(`{"eventName":"HOOK_FAILED","hookId":"h1",
		"clusterArn":"arn:aws:ecs:us-east-1:%s:cluster/%s",
		"serviceArn":"arn:aws:ecs:us-east-1:%[1]s:service/%[2]s/%[3]s",
		"serviceDeploymentArn":%[4]q}`, prod, cluster, service,
		aws.ToString(list.ServiceDeployments[0].ServiceDeploymentArn))))
	return result.Reason, hook
}
