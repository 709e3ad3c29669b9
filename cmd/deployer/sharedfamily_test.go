package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/lambdahost"
)

const (
	orchardAccount = "111122223333"
	orchardCluster = "orchard_cluster_prod"
)

// sharedFamily is the function of testdata/shared-family.yaml: the services web and
// internal share the task definition family app, and run its first revision.
type sharedFamily struct {
	*testFunction
	account *accounts.Account
	file    string
	url     string
	start   time.Time // when the services were there
}

func newSharedFamily(t *testing.T) *sharedFamily {
	t.Helper()
	s := &sharedFamily{}
	var err error
	s.file, err = filepath.Abs("testdata/shared-family.yaml")
	must(t, err)
	s.testFunction = newFunction(t, "prod", func(o *lambdahost.Options) {
		s.url = o.Env["AWS_ENDPOINT_URL"]
		o.Env["DEPLOYER_ENVIRONMENT_FILE"], o.AccessKeyID = s.file, orchardAccount
		o.FunctionARN = "arn:aws:lambda:us-east-1:" + orchardAccount + ":function:orchard_deployer_prod"
	})
	s.account = accounts.Connect(s.url, orchardAccount, accounts.Region)
	must(t, s.account.Cluster(t.Context(), orchardCluster))
	for _, service := range []string{"web", "internal"} {
		for _, tag := range []string{"v1", "v2", "v3", "v4"} {
			_, err := s.account.Push(t.Context(), "orchard_service_"+service, service+" "+tag, tag)
			must(t, err)
		}
	}
	var create ecs.CreateServiceInput
	first, err := s.account.Service(t.Context(), orchardCluster, "web",
		orchardAccount+".dkr.ecr.us-east-1.amazonaws.com/orchard_service_web:v1",
		func(d *ecs.RegisterTaskDefinitionInput, service *ecs.CreateServiceInput) {
			d.Family, d.ContainerDefinitions[0].Name = aws.String("app"), aws.String("app")
			create = *service
		})
	must(t, err)
	create.ServiceName, create.TaskDefinition = aws.String("internal"), aws.String(first)
	_, err = s.account.ECS.CreateService(t.Context(), &create)
	must(t, err)
	s.start = time.Now()
	s.finish(t)
	s.aws.ResetCalls()
	return s
}

// send sends the function a DEPLOY of so many seconds after the start, and returns its
// status and reason.
func (s *sharedFamily) send(t *testing.T, id string, second int, detail string) string {
	t.Helper()
	at := s.start.Add(time.Duration(second) * time.Second)
	result := s.invoke(t, deployEventAt(at, id, "action.prod", detail))
	return string(result.Status) + ": " + result.Reason
}

// finish waits until the rollouts have ended, and sends the function ECS's events of it.
func (s *sharedFamily) finish(t *testing.T) {
	t.Helper()
	for range 20 {
		s.ahead.Add(int64(15 * time.Second))
		s.aws.Tick()
	}
	out, err := s.account.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String(orchardCluster), Services: []string{"web", "internal"}})
	must(t, err)
	for _, service := range out.Services {
		d := service.Deployments[0]
		if d.RolloutState != types.DeploymentRolloutStateCompleted {
			t.Fatalf("the rollout of %s is %s", *service.ServiceName, d.RolloutState)
		}
		s.invoke(t, fmt.Sprintf(`{"id":"of-%s","detail-type":"ECS Deployment State Change","source":"aws.ecs",
			"account":%q,"time":%q,"region":"us-east-1","resources":[%q],
			"detail":{"eventName":"SERVICE_DEPLOYMENT_COMPLETED","deploymentId":%[1]q,"reason":"of this test"}}`,
			*d.Id, orchardAccount, time.Now().UTC().Format(time.RFC3339), *service.ServiceArn))
	}
}

// runs returns the revision and the image that the services run, such as
// "web 4 v3, internal 5 v3". The image is one of the service's own repository.
func (s *sharedFamily) runs(t *testing.T) string {
	t.Helper()
	var all []string
	for _, service := range []string{"web", "internal"} {
		got, err := s.account.Runs(t.Context(), orchardCluster, service)
		must(t, err)
		image := *got.TaskDefinition.ContainerDefinitions[0].Image
		name, tag := "orchard_service_"+service, "unknown"
		for _, one := range []string{"v1", "v2", "v3", "v4"} {
			if strings.HasSuffix(image, "/"+name+"@"+accounts.DigestOf(service+" "+one)) {
				tag = one
			}
		}
		all = append(all, fmt.Sprintf("%s %d %s", service, got.TaskDefinition.Revision, tag))
	}
	return strings.Join(all, ", ")
}

// command runs the command line with the file, and returns its output.
func (s *sharedFamily) command(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], append(args, "-f", s.file)...)
	command.Env = append(os.Environ(), asDeployer+"=1", "AWS_ENDPOINT_URL="+s.url, "AWS_ACCESS_KEY_ID="+orchardAccount,
		"AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true")
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	_ = command.Run() // the output says it
	return out.String()
}

// history returns the numbers of the revisions that the history of a service has.
func (s *sharedFamily) history(t *testing.T, args ...string) string {
	t.Helper()
	out := s.command(t, append([]string{"history"}, args...)...)
	numbers := regexp.MustCompile(`(?m)^\d+( \*)?`).FindAllString(out, -1)
	return strings.Join(numbers, ", ")
}

// configure registers a revision of the family with more memory and the image of web's v1,
// as infrastructure code does.
func (s *sharedFamily) configure(t *testing.T) {
	t.Helper()
	out, err := s.account.ECS.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("app:1")})
	must(t, err)
	d := out.TaskDefinition
	_, err = s.account.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: d.Family, ContainerDefinitions: d.ContainerDefinitions, NetworkMode: d.NetworkMode, Cpu: d.Cpu,
		Memory: aws.String("1024"), RequiresCompatibilities: d.RequiresCompatibilities,
		ExecutionRoleArn: d.ExecutionRoleArn})
	must(t, err)
}

// hasStatus checks that status prints lines that match.
func (s *sharedFamily) hasStatus(t *testing.T, lines ...string) {
	t.Helper()
	status := s.command(t, "status")
	for _, want := range lines {
		if !regexp.MustCompile("(?m)^" + want + "$").MatchString(status) {
			t.Errorf("status has no line like %s:\n%s", want, status)
		}
	}
}

// outcomes returns the outcomes that the function published, such as "Deployment
// Succeeded: web v2".
func (s *sharedFamily) outcomes(t *testing.T) (all []string) {
	t.Helper()
	for _, c := range s.aws.Calls() {
		if c.Operation != "PutEvents" {
			continue
		}
		var in struct{ Entries []publishedEvent }
		must(t, json.Unmarshal(c.Body, &in))
		for _, e := range in.Entries {
			var o struct{ Service, Tag string }
			must(t, json.Unmarshal([]byte(e.Detail), &o))
			all = append(all, e.DetailType+": "+o.Service+" "+o.Tag)
		}
	}
	return all
}

// TestSharedFamily checks that two services that share a task definition family are kept
// apart: in deployments, duplicates, late events, rollbacks, history and drift.
func TestSharedFamily(t *testing.T) {
	t.Parallel()
	s := newSharedFamily(t)
	const deployed = "deployed: the service is being moved to the new revision"
	superseded := func(revision, event string) string {
		return "superseded: a newer event already deployed: the service runs arn:aws:ecs:us-east-1:" + orchardAccount +
			":task-definition/app:" + revision + ", for event " + event
	}
	for _, step := range []struct {
		name, id string
		second   int
		detail   string
		want     string // the beginning of the result
		runs     string
	}{
		{"web", "e1", 1, `{"service":"web","tag":"v2"}`, deployed, "web 2 v2, internal 1 unknown"},
		{"internal", "e2", 2, `{"service":"internal","tag":"v2"}`, deployed, "web 2 v2, internal 3 v2"},
		{"web again", "e3", 3, `{"service":"web","tag":"v3"}`, deployed, "web 4 v3, internal 3 v2"},
		{"internal again", "e4", 9, `{"service":"internal","tag":"v3"}`, deployed, "web 4 v3, internal 5 v3"},
		{"a duplicate", "e3", 3, `{"service":"web","tag":"v3"}`, "unchanged: this event was carried out before",
			"web 4 v3, internal 5 v3"},
		{"a duplicate of an older event", "e1", 1, `{"service":"web","tag":"v2"}`, superseded("4", "e3"),
			"web 4 v3, internal 5 v3"},
		{"older than the other service's event", "e5", 5, `{"service":"web","tag":"v4"}`, deployed,
			"web 6 v4, internal 5 v3"},
		{"a rollback", "e6", 10, `{"service":"web","action":"rollback"}`, deployed, "web 7 v3, internal 5 v3"},
		{"a duplicate of the rollback", "e6", 10, `{"service":"web","action":"rollback"}`,
			"unchanged: this event was carried out before", "web 7 v3, internal 5 v3"},
		{"the other's rollback", "e7", 11, `{"service":"internal","action":"rollback"}`, deployed,
			"web 7 v3, internal 8 v2"},
	} {
		got := s.send(t, step.id, step.second, step.detail)
		s.finish(t)
		if runs := s.runs(t); !strings.HasPrefix(got, step.want) || runs != step.runs {
			t.Fatalf("%s: %s\nwant %s\nand runs %s, want %s", step.name, got, step.want, runs, step.runs)
		}
	}

	// Terraform registers a configuration, which is for both services: each gets it by a
	// redeployment of its own.
	s.configure(t)
	const redeployed = "deployed: same image, newer configuration: revision 9"
	if got := s.send(t, "e8", 12, `{"service":"web","action":"redeploy"}`); got != redeployed {
		t.Errorf("redeployed: %s", got)
	}
	s.finish(t)
	s.hasStatus(t, `web +v3 .* steady 2/2 +none`, `internal +v2 .* steady 2/2 +revision 9 is newer, with v1`)
	if got := s.send(t, "e9", 13, `{"service":"internal","action":"redeploy"}`); got != redeployed {
		t.Errorf("the other one redeployed: %s", got)
	}
	s.finish(t)
	if got := s.runs(t); got != "web 10 v3, internal 11 v2" {
		t.Errorf("after the redeployments: %s", got)
	}
	outcomes := []string{"Deployment Succeeded: web v2", "Deployment Succeeded: internal v2",
		"Deployment Succeeded: web v3", "Deployment Succeeded: internal v3", "Deployment Succeeded: web v4",
		"Deployment Succeeded: web v3", "Deployment Succeeded: internal v2", "Deployment Succeeded: web v3",
		"Deployment Succeeded: internal v2"}
	if diff := cmp.Diff(outcomes, s.outcomes(t)); diff != "" {
		t.Errorf("outcomes: %s", diff)
	}

	// The command line.
	if diff := cmp.Diff([]string{"10 *, 9, 7, 6, 4, 2, 1", "11 *, 9, 8, 5, 3, 1", "10 *, 9, 7", "11 *, 9, 8"}, []string{
		s.history(t, "web"), s.history(t, "internal"), s.history(t, "web", "-n", "3"), s.history(t, "internal", "-n3"),
	}); diff != "" {
		t.Errorf("history: %s", diff)
	}
	s.hasStatus(t, `web +v3 .* steady 2/2 +none`, `internal +v2 .* steady 2/2 +none`)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"rollback", "web"}, "web: deployed: "}, // not to v4, from which it was rolled back
		{[]string{"rollback", "web", "--to", "5"}, "web: rejected: rolling back service \"web\" from revision 12: " +
			"revision 5 is another service's, which shares the family \"app\""},
		{[]string{"redeploy", "internal"}, "internal: unchanged: the service already runs this image with the newest " +
			"configuration"},
	} {
		if got := s.command(t, tt.args...); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%v: %s\nwant %s", tt.args, got, tt.want)
		}
	}
	if got := s.runs(t); got != "web 12 v2, internal 11 v2" {
		t.Errorf("in the end: %s", got)
	}
}
