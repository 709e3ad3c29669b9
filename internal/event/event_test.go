package event

import (
	"fmt"
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
			`the DEPLOY is for project "MyProject", not for myproject; if it is, write "project": "myproject"`},
		{"environment of another case", "prod", deployment("action.production",
			`{"env":"Prod","service":"backend","tag":"a"}`),
			`the DEPLOY is for environment "Prod", not for prod; if it is, write "env": "prod"`},
		{"environment by its source", "prod", deployment("action.production",
			`{"env":"production","service":"backend","tag":"a"}`),
			`the DEPLOY is for environment "production", not for prod; if it is, write "env": "prod"`},
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
			`events of type "Deploy" from "action.production" are not for prod, ` +
				strings.Replace(sendToProd, `source "action.prod"`, `source "action.production"`, 1)},
		{"a type of the field from a source of its own", "prod",
			`{"id":"e1","source":"ci.shop","detail-type":"SERVICE_DEPLOY","detail":{"service":"worker"}}`,
			`events of type "SERVICE_DEPLOY" from "ci.shop" are not for prod, ` +
				strings.Replace(sendToProd, "backend", "worker", 1)},
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
		{"a tag that is null", "dev", pushed("111111111111", "us-east-1",
			`{"action-type":"PUSH","result":"SUCCESS","repository-name":"myproject_backend","image-tag":null}`),
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
