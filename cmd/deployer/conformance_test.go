package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/lambdahost"
)

// conformanceURL is the environment variable with the URL of another emulation of
// AWS, such as moto_server, to run these cases against.
const conformanceURL = "DEPLOYER_CONFORMANCE_URL"

// TestConformance runs the real bootstrap through the cases that every emulation of
// AWS supports: on this project's emulator, or on the one at DEPLOYER_CONFORMANCE_URL
// (`make conformance`), so that two independent implementations agree.
func TestConformance(t *testing.T) {
	t.Parallel()
	const (
		deployV2 = `{"service":"backend","tag":"v2"}`
		forceV2  = `{"service":"backend","tag":"v2","force":true}`
		moved    = "the service is being moved to the new revision"
	)
	tests := []struct {
		name   string
		before func(*testing.T, *conformance)
		detail string
		status string // "" for an error
		reason string // prefix
		runs   int32
	}{
		{name: "deploy", detail: deployV2, status: "deployed", reason: moved, runs: 2},
		{name: "dry run", detail: `{"service":"backend","tag":"v2","dry_run":true}`,
			status: "planned", reason: "a new revision of ", runs: 1},
		{name: "tag missing", detail: `{"service":"backend","tag":"v9"}`,
			status: "rejected", reason: `looking for tag "v9" in ECR repository `, runs: 1},
		{name: "twice", before: func(t *testing.T, c *conformance) { c.send(t, "e0", deployV2) },
			detail: deployV2, status: "unchanged", reason: "the service already runs this image", runs: 2},
		{name: "revision 10 after 9", before: func(t *testing.T, c *conformance) {
			for i := range 9 {
				c.send(t, fmt.Sprint("e0", i), forceV2)
			}
		}, detail: forceV2, status: "deployed", reason: moved, runs: 11},
		{name: "repository missing", detail: `{"service":"web-api","tag":"v2"}`, reason: "RepositoryNotFound", runs: 1},
		{name: "several", before: func(t *testing.T, c *conformance) { c.pushWebAPI(t) },
			detail: `{"services":["web-api","backend"],"tag":"v2"}`, status: "deployed", reason: "DEPLOY of web-api, ",
			runs: 2},
		{name: "several, of which one has no image", before: func(t *testing.T, c *conformance) { c.pushWebAPI(t) },
			detail: `{"services":["web-api","backend"],"tag":"v1"}`, status: "rejected",
			reason: `looking for tag "v1" in ECR repository `, runs: 1},
		{name: "several, of which one is missing", detail: `{"services":["backend","worker"],"tag":"v2"}`,
			reason: "ServiceNotFound", runs: 1},
		{name: "all with the tag", detail: `{"services":"*","tag":"v2"}`, status: "deployed",
			reason: "DEPLOY of all workloads ", runs: 2},
		{name: "service missing", detail: `{"service":"worker","tag":"v2"}`, reason: "ServiceNotFound", runs: 1},
		{name: "service deleted", before: func(t *testing.T, c *conformance) {
			_, err := c.account.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{
				Cluster: aws.String(c.cluster), Service: aws.String(c.service), Force: aws.Bool(true),
			})
			must(t, err)
		}, detail: deployV2, reason: "ServiceNot"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConformance(t, fmt.Sprintf("case%d", i)) // a project for each case: they may share an account
			if tt.before != nil {
				tt.before(t, c)
			}
			status, reason := c.send(t, "e1", tt.detail)
			if status != tt.status || !strings.HasPrefix(reason, tt.reason) {
				t.Errorf("%q: %s\nwant %q: %s", status, reason, tt.status, tt.reason)
			}
			if tt.runs == 0 {
				return
			}
			got, err := c.account.Runs(t.Context(), c.cluster, c.service)
			must(t, err)
			if got.TaskDefinition.Revision != tt.runs {
				t.Errorf("the service runs revision %d, want %d", got.TaskDefinition.Revision, tt.runs)
			}
		})
	}
}

// TestConformanceOfChanges sends the event of a parameter to which the backend refers, and of one to which it does not.
func TestConformanceOfChanges(t *testing.T) {
	t.Parallel()
	c := newConformance(t, "changes")
	change := func(id, name string, at time.Time) string {
		status, _ := c.invoke(t, fmt.Sprintf(`{"id":%q,"detail-type":"Parameter Store Change","source":"aws.ssm",
			"account":"123456789012","time":%q,"region":"us-east-1",
			"resources":["arn:aws:ssm:us-east-1:123456789012:parameter%s"],
			"detail":{"operation":"Update","name":%q,"type":"SecureString"}}`, id, at.UTC().Format(time.RFC3339), name,
			name))
		return status
	}
	before, after := c.start.Add(-time.Minute), c.start.Add(2*time.Second)
	for i, tt := range []struct {
		name   string
		at     time.Time
		status string
		runs   int32
	}{
		{"/changes/other", after, "ignored", 1},
		{"/changes/db", before, "unchanged", 1},
		{"/changes/db", after, "deployed", 2},
	} {
		if tt.at == before && os.Getenv(conformanceURL) != "" {
			continue // moto_server does not implement ListServiceDeployments, which says whether that rollout failed
		}
		status := change(fmt.Sprint("e", i), tt.name, tt.at)
		got, err := c.account.Runs(t.Context(), c.cluster, c.service)
		must(t, err)
		if status != tt.status || got.TaskDefinition.Revision != tt.runs {
			t.Errorf("%s: %s, and revision %d runs; want %s, %d", tt.name, status, got.TaskDefinition.Revision,
				tt.status, tt.runs)
		}
	}
}

// conformance is a project with a backend, and its function.
type conformance struct {
	project          string
	account          *accounts.Account
	host             *lambdahost.Host
	cluster, service string
	start            time.Time
	sent             int // events
}

func newConformance(t *testing.T, project string) *conformance {
	t.Helper()
	const account = "123456789012"
	path, err := bootstrap()
	must(t, err)
	url := os.Getenv(conformanceURL)
	if url == "" {
		_, url = emulatortest.Start(t, emulator.Options{})
	}
	c := &conformance{
		project: project, account: accounts.Connect(url, account, "us-east-1"),
		cluster: project + "_cluster_dev", service: project + "_service_dev",
	}
	must(t, c.account.Cluster(t.Context(), c.cluster))
	for _, version := range []string{"v1", "v2"} {
		// moto_server takes no layers, and the function reads none.
		_, err := c.account.PushManifest(t.Context(), "amd64", project+"_backend", version, version)
		must(t, err)
	}
	registry := account + ".dkr.ecr.us-east-1.amazonaws.com/"
	_, err = c.account.Service(t.Context(), c.cluster, c.service, registry+project+"_backend:v1", onEC2,
		func(definition *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
			definition.ContainerDefinitions[0].Secrets = []ecstypes.Secret{
				{Name: aws.String("DB"), ValueFrom: aws.String("/" + project + "/db")}}
		})
	must(t, err)
	webAPI := registry + project + "_service_web-api:v1"
	_, err = c.account.Service(t.Context(), c.cluster, project+"_service_web-api_dev", webAPI, onEC2)
	must(t, err)
	file := filepath.Join(t.TempDir(), "dev.yaml")
	text := "project: " + project + "\nenv: dev\nregion: us-east-1\nservices: [{name: web-api}, {name: worker}]\n" +
		"scheduled_tasks: [{name: nightly}, {name: missing}]\n" +
		"event_processor_tasks: [{name: uploads}, {name: unruled}, {name: resize}]\n" +
		"deployer: {redeploy_on: [parameters]}\n"
	must(t, os.WriteFile(file, []byte(text), 0o644))
	c.host, err = lambdahost.Start(t.Context(), lambdahost.Options{
		Bootstrap:       path,
		Env:             map[string]string{"AWS_ENDPOINT_URL": url, "DEPLOYER_ENVIRONMENT_FILE": file},
		FunctionARN:     "arn:aws:lambda:us-east-1:" + account + ":function:deployer",
		AccessKeyID:     account,
		SecretAccessKey: "any",
		Timeout:         functionTimeout,
		Logs:            t.Output(),
	})
	must(t, err)
	t.Cleanup(func() { c.host.Close() })
	c.start = time.Now() // the service's creation counts as an external choice, to which no older event is deployed
	return c
}

// onEC2 makes a service that needs no subnet, because moto looks subnets up.
func onEC2(definition *ecs.RegisterTaskDefinitionInput, service *ecs.CreateServiceInput) {
	definition.NetworkMode, definition.RequiresCompatibilities = ecstypes.NetworkModeBridge, nil
	service.LaunchType, service.NetworkConfiguration = ecstypes.LaunchTypeEc2, nil
}

// send sends the function a DEPLOY and returns the result's status and reason,
// or "" and the name of the error.
func (c *conformance) send(t *testing.T, id, detail string) (status, reason string) {
	t.Helper()
	c.sent++ // the events are a second apart
	event := deployEventAt(c.start.Add(time.Duration(c.sent)*time.Second), id, "action.dev", detail)
	return c.invoke(t, event)
}

// pushWebAPI pushes an image for the service web-api, with the tag v2 only.
func (c *conformance) pushWebAPI(t *testing.T) {
	t.Helper()
	_, err := c.account.PushManifest(t.Context(), "amd64", c.project+"_service_web-api", "web", "v2")
	must(t, err)
}

// invoke sends the function an event and returns the result's status and reason,
// or "" and the name of the error.
func (c *conformance) invoke(t *testing.T, event string) (status, reason string) {
	t.Helper()
	response, err := c.host.Invoke(t.Context(), []byte(event))
	must(t, err)
	if response.FunctionError != "" {
		return "", response.ErrorType + ": " + response.ErrorMessage
	}
	var result pipeline.Result
	must(t, json.Unmarshal(response.Payload, &result))
	return string(result.Status), result.Reason
}
