package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/aws/events/pattern"
	"deployer/testbed/cloud"
)

// TestDeployRule checks which DEPLOY events reach the function.
func TestDeployRule(t *testing.T) {
	t.Parallel()
	env, err := environment.Load("../examples/centralized-dev-ecr/prod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, senders, account, detail string
		want                           bool
	}{
		{"own account", "", prod, `{"service":"backend"}`, true},
		{"another account", "", staging, `{"service":"backend"}`, false},
		{"an account that is accepted", staging, staging, `{"service":"backend"}`, true},
		{"the second of two", dev + "," + staging, staging, `{"service":"backend"}`, true},
		{"own account besides", staging, prod, `{"service":"backend"}`, true},
		{"an account that is not accepted", staging, dev, `{"service":"backend"}`, false},
		{"our project", "", prod, `{"project":"myproject"}`, true},
		{"another project", "", prod, `{"project":"vineyard"}`, false},
		{"a project with our name as its prefix", "", prod, `{"project":"myproject_admin"}`, false},
		{"an empty project, which the function rejects", "", prod, `{"project":""}`, true},
		{"a project of a wrong type", "", prod, `{"project":5}`, false},
		{"no members", "", prod, `{}`, true},
		{"a project null", "", prod, `{"project":null}`, false},
		{"a project of two values", "", prod, `{"project":[true,"vineyard"]}`, false},
		{"our project in an array", "", prod, `{"project":["vineyard","myproject"]}`, true},
		{"our project in an array of arrays", "", prod, `{"project":[["myproject"]]}`, true},
		{"an empty project in an array", "", prod, `{"project":[""]}`, true},
		{"an empty array", "", prod, `{"project":[]}`, true},
		{"an object", "", prod, `{"project":{"name":"vineyard"}}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			values := maps.Clone(stacks["prod"].values)
			values["SenderAccounts"] = tt.senders
			loaded, err := loadWith(t, prod, values)
			if err != nil {
				t.Fatal(err)
			}
			rules := loaded.Rules()
			i := slices.IndexFunc(rules, func(r cloudformation.Rule) bool { return r.LogicalID == "DeployRule" })
			p, err := pattern.Parse(rules[i].Pattern)
			if err != nil {
				t.Fatal(err)
			}
			raw := fmt.Appendf(nil, `{"id":"e1","detail-type":"DEPLOY","source":"action.prod","account":%q,
				"region":"us-east-1","time":"2026-01-22T10:15:30Z","resources":[],"detail":%s}`, tt.account, tt.detail)
			got, err := p.Match(raw)
			if err != nil || got != tt.want {
				t.Errorf("it matches: %t, %v; want %t", got, err, tt.want)
			}
			// deployer explain answers for what never arrives, except from another account
			if v := event.Read(raw, env, time.Now()).Verdict; tt.account == prod && (v != event.Ignored) != tt.want {
				t.Errorf("it is %s, and the rule delivers it: %t", v, tt.want)
			}
		})
	}
}

// twoProjects is emulated AWS with two projects in one account: the stack and the
// backend of each, and the pipeline as the function of each.
type twoProjects struct {
	aws     *emulator.Emulator
	account *accounts.Account

	mu  sync.Mutex
	ran []string // the projects whose function deployed, in no order
}

func newTwoProjects(t *testing.T, sources map[string]string) *twoProjects {
	t.Helper()
	e, url := emulatortest.Start(t, emulator.Options{})
	p := &twoProjects{aws: e, account: accounts.Connect(url, dev, region)}
	for _, project := range []string{"orchard", "vineyard"} {
		text := fmt.Sprintf("project: %s\nenv: dev\nregion: us-east-1\naccount_id: %q\necr_strategy: local\n", project,
			dev)
		if sources[project] != "" {
			text += "deployer: {deploy_sources: [" + sources[project] + "]}\n"
		}
		env, err := environment.Parse(project+".yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		p.install(t, env)
	}
	return p
}

// install creates the backend of a project and its deployer's stack.
func (p *twoProjects) install(t *testing.T, env *environment.Environment) {
	t.Helper()
	if err := p.account.Cluster(t.Context(), env.Cluster); err != nil {
		t.Fatal(err)
	}
	backend, _ := env.Find(environment.BackendName, environment.Services...)
	if _, err := p.account.Push(t.Context(), backend.Repository, env.Project+" v1", "v1"); err != nil {
		t.Fatal(err)
	}
	image := backend.Reference("v1").String()
	setRole := func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
		in.ExecutionRoleArn = aws.String("arn:aws:iam::" + dev + ":role/" + env.Project + "_backend_task_execution_dev")
	}
	if _, err := p.account.Service(t.Context(), env.Cluster, backend.Family, image, setRole); err != nil {
		t.Fatal(err)
	}
	if _, err := p.account.Push(t.Context(), backend.Repository, env.Project+" v2", "v2"); err != nil {
		t.Fatal(err)
	}
	template, err := cloud.Template("..", env)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.aws.LoadTemplate(dev, region, template); err != nil {
		t.Fatal(err)
	}
	function, _ := template.Function("DeployerFunction")
	role := function.RoleARN[strings.LastIndex(function.RoleARN, "/")+1:]
	p.aws.SetRolePolicy(dev, role, template.FunctionPolicies("DeployerFunction")...)
	config := p.account.Config.Copy()
	config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: dev + "-" + role, SecretAccessKey: "any"}, nil
	})
	deployer := pipeline.NewFunction(env, config, io.Discard)
	p.aws.HandleLambda(function.ARN, func(ctx context.Context, event []byte) error {
		ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{InvokedFunctionArn: function.ARN})
		result, err := deployer.Handle(ctx, json.RawMessage(event))
		if err == nil && result.Status == "deployed" {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.ran = append(p.ran, env.Project)
		}
		return err
	})
}

// send puts a DEPLOY event on the account's bus, and returns the projects that it deployed.
func (p *twoProjects) send(t *testing.T, source, detail string) []string {
	t.Helper()
	out, err := eventbridge.NewFromConfig(p.account.Config).PutEvents(t.Context(), &eventbridge.PutEventsInput{
		Entries: []types.PutEventsRequestEntry{{
			Source: aws.String(source), DetailType: aws.String("DEPLOY"), Detail: aws.String(detail),
		}},
	})
	if err != nil || out.FailedEntryCount != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	return p.deployed(t)
}

// deployed returns the projects that were deployed since the last call.
func (p *twoProjects) deployed(t *testing.T) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.aws.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ran := slices.Sorted(slices.Values(p.ran))
	p.ran = nil
	return ran
}

// TestTwoProjects deploys in an account with two projects, whose deployers accept the
// same source: the event's project decides.
func TestTwoProjects(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, detail string
		want         []string
	}{
		{"one project", `{"project":"vineyard","service":"backend","tag":"v2"}`, []string{"vineyard"}},
		{"the other", `{"project":"orchard","service":"backend","tag":"v2"}`, []string{"orchard"}},
		{"a third", `{"project":"meadow","service":"backend","tag":"v2"}`, nil},
		{"no project", `{"service":"backend","tag":"v2"}`, []string{"orchard", "vineyard"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, newTwoProjects(t, nil).send(t, "action.dev", tt.detail)); diff != "" {
				t.Errorf("deployed (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTwoProjectsWithSources separates the senders of two projects by their sources: an
// event without project deploys the project of its source.
func TestTwoProjectsWithSources(t *testing.T) {
	t.Parallel()
	p := newTwoProjects(t, map[string]string{"orchard": "orchard.dev", "vineyard": "vineyard.dev"})
	const detail = `{"service":"backend","tag":"v2"}`
	for _, tt := range []struct {
		source string
		want   []string
	}{
		{"action.dev", nil}, {"vineyard.dev", []string{"vineyard"}}, {"orchard.dev", []string{"orchard"}},
	} {
		if diff := cmp.Diff(tt.want, p.send(t, tt.source, detail)); diff != "" {
			t.Errorf("%s deployed (-want +got):\n%s", tt.source, diff)
		}
	}
}

// TestTwoProjectsPush checks that a push deploys the project that has the repository.
func TestTwoProjectsPush(t *testing.T) {
	t.Parallel()
	p := newTwoProjects(t, nil)
	if _, err := p.account.Push(t.Context(), "vineyard_backend", "v3", "latest"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"vineyard"}, p.deployed(t)); diff != "" {
		t.Errorf("deployed (-want +got):\n%s", diff)
	}
}

// TestReplicatedImage checks that an image deploys that ECR copies from another account,
// by the rule and the role of the stack. The registry of the copy has no event of a push.
func TestReplicatedImage(t *testing.T) {
	t.Parallel()
	p := newTwoProjects(t, nil)
	tools := p.account.With(func(c *aws.Config) {
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "999999999999", SecretAccessKey: "any"}, nil
		})
	})
	if _, err := tools.Push(t.Context(), "vineyard_backend", "v3", "latest"); err != nil {
		t.Fatal(err)
	}
	if got := p.deployed(t); got != nil {
		t.Errorf("before the replication, %v are deployed", got)
	}
	if _, err := p.aws.Replicate("999999999999", region, dev, region, "vineyard_backend", "latest"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"vineyard"}, p.deployed(t)); diff != "" {
		t.Errorf("deployed (-want +got):\n%s", diff)
	}
}
