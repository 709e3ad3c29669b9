package event

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

var now = time.Date(2026, 1, 22, 10, 20, 0, 0, time.UTC)

// load returns an environment of examples/centralized-dev-ecr.
func load(tb testing.TB, name string) *environment.Environment {
	tb.Helper()
	e, err := environment.Load(filepath.Join("..", "..", "examples", "centralized-dev-ecr", name+".yaml"))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// deployment returns a DEPLOY event with the given source and detail.
func deployment(source, detail string) string {
	return fmt.Sprintf(
		`{"version":"0","id":"e1","detail-type":"DEPLOY","source":%q,"account":"333333333333",`+
			`"time":"2026-01-22T10:15:30Z","region":"us-east-1","resources":[],"detail":%s}`, source, detail)
}

// pushed returns an ECR Image Action event of a registry.
func pushed(account, region, detail string) string {
	return fmt.Sprintf(
		`{"version":"0","id":"e2","detail-type":"ECR Image `+
			`Action","source":"aws.ecr","account":%q,"time":"2026-01-22T10:15:30Z","region":%q,"resources":[],`+
			`"detail":%s}`, account, region, detail)
}

// replicated returns an ECR Replication Action event of the registry that has the copy.
func replicated(account, region, detail string) string {
	return strings.Replace(pushed(account, region, detail), "ECR Image Action", ECRReplication, 1)
}

const (
	digest      = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	replication = `{"action-type":"REPLICATE","result":"SUCCESS","repository-name":%q,"image-tag":%q,"image-digest":"` +
		digest + `","source-account":"999999999999","source-region":"us-west-2"}`
	push = `{"action-type":"PUSH","result":"SUCCESS","repository-name":%q,"image-tag":%q,"image-digest":"` + digest +
		`"}`
)

// sendToProd is the end of messages about events that were meant to deploy prod.
const sendToProd = `which accepts DEPLOY events from action.prod, action.production; to deploy prod, send ` +
	`detail-type "DEPLOY", source "action.prod" and a detail like ` +
	`{"project":"myproject","service":"backend","tag":"git-abc123f"}`

func TestIgnored(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, env, raw, want string }{
		{"another environment's source", "prod", deployment("action.staging", `{"service":"backend","tag":"a"}`),
			`DEPLOY from "action.staging" is not for prod, ` + sendToProd},
		{"even if malformed", "staging", deployment("action.production", `{}`),
			`DEPLOY from "action.production" is not for staging, which accepts DEPLOY events from action.staging; to ` +
				`deploy staging, send detail-type "DEPLOY", source "action.staging" and a detail like ` +
				`{"project":"myproject","service":"backend","tag":"git-abc123f"}`},
		{"unknown source", "prod", deployment("com.example", `{"service":"backend","tag":"a"}`),
			`DEPLOY from "com.example" is not for prod, ` + sendToProd},
		{"source of GitHub's workflows", "prod", deployment("github.actions.prod", `null`),
			`DEPLOY from "github.actions.prod" is not for prod, ` + sendToProd},
		{"another project", "prod", deployment("action.production",
			`{"project":"vineyard","service":"backend","tag":"git-abc123f"}`),
			`the DEPLOY is for project "vineyard", not for myproject`},
		{"another project, malformed", "prod", deployment("action.production",
			`{"project":"vineyard","service":5,"dry-run":1,"env":"prod"}`),
			`the DEPLOY is for project "vineyard", not for myproject`},
		{"project of another case", "prod", deployment("action.production",
			`{"project":"MyProject","service":"backend","tag":"a"}`),
			`the DEPLOY is for project "MyProject", not for myproject`},
		{"our project, another environment", "prod", deployment("action.production",
			`{"project":"myproject","env":"staging","service":"backend","tag":"a"}`),
			`the DEPLOY is for environment "staging", not for prod`},
		{"project of a wrong type, another environment", "prod", deployment("action.production",
			`{"project":7,"env":"staging","service":"backend","tag":"a"}`),
			`the DEPLOY is for environment "staging", not for prod`},
		{"project of a longer name", "prod", deployment("action.production",
			`{"project":"myproject_admin","service":"backend","tag":"a"}`),
			`the DEPLOY is for project "myproject_admin", not for myproject`},
		{"names another environment", "prod", deployment("action.production", `{"env":"staging","tag":"git-"}`),
			`the DEPLOY is for environment "staging", not for prod`},
		{"another type", "dev", `{"id":"e1","source":"aws.ec2","detail-type":"EC2 Instance State-change Notification"}`,
			`events of type "EC2 Instance State-change Notification" from "aws.ec2" are not for the deployer`},
		{"ECR scan", "dev", `{"id":"e1","source":"aws.ecr","detail-type":"ECR Image Scan","detail":{}}`,
			`events of type "ECR Image Scan" from "aws.ecr" are not for the deployer`},
		{"DEPLOY of another case", "prod",
			`{"id":"e1","source":"action.production","detail-type":"Deploy","detail":{}}`,
			`events of type "Deploy" from "action.production" are not for prod, ` + sendToProd},
		{"another type from our source", "prod",
			`{"id":"e1","source":"action.prod","detail-type":"ROLLOUT","detail":{"service":"worker"}}`,
			`events of type "ROLLOUT" from "action.prod" are not for prod, ` +
				strings.Replace(sendToProd, "backend", "worker", 1)},
		{"another type from GitHub's workflows", "prod",
			`{"id":"e1","source":"github.actions.prod","detail-type":"release","detail":{"service":["a"]}}`,
			`events of type "release" from "github.actions.prod" are not for prod, ` + sendToProd},
		{"the deployer's own", "prod",
			`{"id":"e1","source":"deployer","detail-type":"Deployment Succeeded","detail":{}}`,
			`events of type "Deployment Succeeded" from "deployer" are not for the deployer`},
		{"AWS's deployments", "prod",
			`{"id":"e1","source":"aws.codedeploy","detail-type":"CodeDeploy Deployment State-change Notification"}`,
			`events of type "CodeDeploy Deployment State-change Notification" from "aws.codedeploy" are not for the ` +
				`deployer`},
		{"delete", "dev", pushed("111111111111", "us-east-1",
			strings.Replace(fmt.Sprintf(push, "myproject_backend", "latest"), "PUSH", "DELETE", 1)),
			`the ECR action is "DELETE", not a push`},
		{"failed replication", "dev", replicated("111111111111", "us-east-1",
			strings.Replace(fmt.Sprintf(replication, "myproject_backend", "latest"), "SUCCESS", "FAILED", 1)),
			`the replication to "myproject_backend" has the result "FAILED"`},
		{"a push in a replication event", "dev", replicated("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "latest")), `the ECR action is "PUSH", not a replication`},
		{"a replication in a push event", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(replication, "myproject_backend", "latest")), `the ECR action is "REPLICATE", not a push`},
		{"replication without tag", "dev", replicated("111111111111", "us-east-1",
			fmt.Sprintf(replication, "myproject_backend", "")),
			`the replication to "myproject_backend" has no tag: it is part of an image, ` +
				`or its tag was replaced at once`},
		{"replication elsewhere", "dev", replicated("111111111111", "eu-west-1",
			fmt.Sprintf(replication, "myproject_backend", "latest")),
			`the replication to "myproject_backend" was to the registry of account "111111111111" in "eu-west-1"; ` +
				`dev runs images from account 111111111111 in us-east-1 (strategy local: set by ecr_strategy)`},
		{"replication of a tag outside the policy", "dev", replicated("111111111111", "us-east-1",
			fmt.Sprintf(replication, "myproject_backend", "v1.2.3")),
			`tag "v1.2.3" does not deploy dev: auto_deploy has only latest`},
		{"failed", "dev", pushed("111111111111", "us-east-1",
			strings.Replace(fmt.Sprintf(push, "myproject_backend", "latest"), "SUCCESS", "FAILURE", 1)),
			`the push to "myproject_backend" has the result "FAILURE"`},
		{"no tag", "dev", pushed("111111111111", "us-east-1",
			`{"action-type":"PUSH","result":"SUCCESS","repository-name":"myproject_backend","image-digest":"`+digest+
				`"}`),
			`the push to "myproject_backend" has no tag: it is part of an image, or its tag was replaced at once`},
		{"signature", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "sha256-"+digest[7:]+".sig")),
			`tag "sha256-` + digest[7:] + `.sig" is a signature or attestation, not an image that can run`},
		{"tag outside the policy", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "git-abc123f")),
			`tag "git-abc123f" does not deploy dev: auto_deploy has only latest`},
		{"prod takes no push", "prod", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_backend", "latest")),
			`tag "latest" does not deploy prod: auto_deploy is empty, so no push does; send a DEPLOY event`},
		{"other repository", "dev", pushed("111111111111", "us-east-1", fmt.Sprintf(push, "other_backend", "latest")),
			`no workload of myproject runs images of repository "other_backend"`},
		{"a longer name", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_service_web-api-v2", "latest")),
			`no workload of myproject runs images of repository "myproject_service_web-api-v2"`},
		{"a shorter name", "dev", pushed("111111111111", "us-east-1",
			fmt.Sprintf(push, "myproject_service_web", "latest")),
			`no workload of myproject runs images of repository "myproject_service_web"`},
		{"own registry of a cross-account environment", "staging",
			pushed("222222222222", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest")),
			`the push to "myproject_backend" was to the registry of account "222222222222" in "us-east-1"; staging ` +
				`runs images from account 111111111111 in us-east-1 (strategy cross_account: set by ecr_strategy)`},
		{"other account", "dev", pushed("999999999999", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest")),
			`the push to "myproject_backend" was to the registry of account "999999999999" in "us-east-1"; dev runs ` +
				`images from account 111111111111 in us-east-1 (strategy local: set by ecr_strategy)`},
		{"other region", "dev", pushed("111111111111", "eu-west-1", fmt.Sprintf(push, "myproject_backend", "latest")),
			`the push to "myproject_backend" was to the registry of account "111111111111" in "eu-west-1"; dev runs ` +
				`images from account 111111111111 in us-east-1 (strategy local: set by ecr_strategy)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Read([]byte(tt.raw), load(t, tt.env), now)
			if got.Verdict != Ignored || got.Reason != tt.want || len(got.Requests) > 0 {
				t.Errorf("%s: %s\nwant ignored: %s", got.Verdict, got.Reason, tt.want)
			}
		})
	}
}

// TestSamples reads samples of events that senders send by mistake.
func TestSamples(t *testing.T) {
	t.Parallel()
	const sendToDev = `which accepts DEPLOY events from action.dev; to deploy dev, send detail-type "DEPLOY", ` +
		`source "action.dev" and a detail like {"project":"myproject","service":"backend","tag":"git-abc123f"}`
	for _, tt := range []struct {
		file, env string
		verdict   Verdict
		want      string
	}{
		{"deploy-another-project", "prod", Ignored, `the DEPLOY is for project "vineyard", not for myproject`},
		{"deploy-rejected-no-tag", "prod", Rejected, `the DEPLOY is malformed: ` + noTag},
		{"deploy-several", "prod", Accepted, `DEPLOY of worker, web-api with tag git-abc123f from action.production`},
		{"deploy-several-with-task", "prod", Accepted, `DEPLOY of worker, task:nightly-report with tag git-abc123f ` +
			`from action.production`},
		{"deploy-all", "prod", Accepted,
			`DEPLOY of all workloads whose repository has the tag git-abc123f from action.production`},
		{"deploy-rejected-several", "prod", Rejected, `the DEPLOY is malformed: both "service" and "services" are ` +
			`set: name everything in one of them; service "web_api" is not in the prod environment; did you mean ` +
			`"web-api"?; "services" has "nightly-report", which is a scheduled task: write "task:nightly-report"`},
		{"deploy-redeploy", "prod", Accepted, `redeployment of backend from action.production`},
		{"deploy-rollback", "prod", Accepted, `rollback of backend from action.production`},
		{"deploy-other-type", "dev", Ignored, `events of type "SERVICE_DEPLOY" from "github.actions.dev" are not for ` +
			`dev, ` + strings.Replace(sendToDev, "backend", "web-api", 1)},
		{"deploy-other-source", "dev", Ignored, `DEPLOY from "action.deploy" is not for dev, ` + sendToDev},
	} {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(filepath.Join("..", "..", "events", tt.file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if got := Read(raw, load(t, tt.env), now); got.Verdict != tt.verdict || got.Reason != tt.want {
				t.Errorf("%s: %s\nwant %s: %s", got.Verdict, got.Reason, tt.verdict, tt.want)
			}
		})
	}
}

// TestNoSources checks what an environment answers that accepts no DEPLOY event.
func TestNoSources(t *testing.T) {
	t.Parallel()
	env, err := environment.Parse("dev.yaml",
		[]byte("{project: p, env: dev, region: us-east-1, deployer: {deploy_sources: []}}"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `DEPLOY from "action.dev" is not for dev, which accepts no DEPLOY events: deployer.deploy_sources ` +
		`is empty`
	if got := Read([]byte(deployment("action.dev", `{}`)), env, now); got.Verdict != Ignored || got.Reason != want {
		t.Errorf("%s: %s\nwant ignored: %s", got.Verdict, got.Reason, want)
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	got := Read([]byte(`{"id":"s1","source":"aws.events","detail-type":"Scheduled Event","detail":{}}`), load(t, "dev"),
		now)
	if diff := cmp.Diff(Reading{ID: "s1", Verdict: Due, Reason: "scheduled search for lost pushes"}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzRead checks the contract of Read for any bytes: no panic, always a verdict
// with a reason, requests exactly if it is accepted, and messages that fit a log line.
func FuzzRead(f *testing.F) {
	f.Add([]byte(deployment("action.production", `{"service":"backend","tag":"git-abc123f","dry_run":true}`)))
	for _, name := range []string{"parameter-updated", "secret-label-updated", "secret-rotation-succeeded",
		"s3-env-file-created"} {
		if raw, err := os.ReadFile("../../events/" + name + ".json"); err == nil {
			f.Add(raw)
		}
	}
	f.Add([]byte(deployment("action.dev", `{"task":"nightly-report","tag":"a","env":"dev"}`)))
	f.Add([]byte(pushed("111111111111", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest"))))
	hook, err := os.ReadFile("../../events/ecs-hook-awaiting-action.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hook)
	f.Add([]byte(deployment("action.production", `{"services":["worker","task:a","*",1],"tag":"v2"}`)))
	f.Add([]byte(deployment("action.production", `{"services":"*","action":"redeploy"}`)))
	f.Add([]byte(deployment("action.prod", `{"project":"vineyard","service":"backend","tag":"a"}`)))
	f.Add([]byte(`{"id":"e1","source":"github.actions.dev","detail-type":"SERVICE_DEPLOY",` +
		`"detail":{"service":"backend"}}`))
	f.Add([]byte(replicated("111111111111", "us-east-1", fmt.Sprintf(replication, "myproject_backend", "latest"))))
	f.Add([]byte(`{"detail":{"a":[[[[]]]]}}`))
	f.Add([]byte(deployment("action.production",
		`{"app":"backend","image":"a/b:v1@sha256:","payload":"{}","plan":true}`)))
	f.Add([]byte(deployment("action.production", `{"service":"arn:x/","tag":"v1","image":":","environment":"dev"}`)))
	f.Add([]byte("{\"source\":\"\xff\",\"detail-type\":\"DEPLOY\"}"))
	for _, at := range []string{"0000-01-01T00:00:00Z", "1500-01-01T00:00:00Z", "2014-12-31T23:59:59Z",
		"9999-12-31T23:59:59+23:59"} {
		f.Add([]byte(timed(deployment("action.production", `{"service":"backend","tag":"a"}`), at)))
		f.Add([]byte(timed(pushed("111111111111", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest")), at)))
		service := "myproject_cluster_prod/myproject_service_prod"
		f.Add([]byte(timed(rolled(change, "333333333333", service, completed), at)))
		f.Add([]byte(timed(string(hook), at)))
	}
	envs := []*environment.Environment{load(f, "dev"), load(f, "prod")}
	envs[1].RedeployOn = environment.Triggers
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		for _, env := range envs {
			got := Read(raw, env, now)
			if got.Reason == "" || (got.Verdict == Accepted) != (len(got.Requests) > 0) || got.Verdict != Accepted &&
				len(got.Reason) > 1<<20 {
				t.Errorf("Read(%q) = %+v", raw, got)
			}
			for _, r := range got.Requests {
				noTag := r.Tag == "" && !r.Redeploy && !r.Rollback
				if r.Cause.ID == "" || noTag || r.Cause.Time.After(now.Add(maxAhead)) ||
					r.Cause.Time.Before(earliest) {
					t.Errorf("Read(%q) asks for %+v", raw, r)
				}
			}
			for _, at := range []time.Time{got.At, got.Claims.Cause.Time, got.Rollout.Hook.Expires} {
				if !at.IsZero() && (at.Before(earliest) || at.After(now.Add(maxExpiry))) {
					t.Errorf("Read(%q) has the time %s", raw, at)
				}
			}
			if got.Verdict == Changed && (got.ID == "" || got.At.IsZero() || got.Change.RefersTo(env, "")) {
				t.Errorf("Read(%q) = %+v", raw, got)
			}
			if got.Verdict == Rejected && strings.HasPrefix(got.Claims.Cause.Source, "aws.") &&
				!strings.HasPrefix(got.Reason, "the event has no") {
				t.Errorf("Read(%q) rejects an event of AWS: %s", raw, got.Reason)
			}
		}
		if !bytes.Equal(before, raw) {
			t.Error("Read changed the event")
		}
	})
}
