// Package deploy_test reads the template as CloudFormation does, and checks what it
// creates: which rule matches which event, and what the function's role allows.
package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/stack"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/events/pattern"
)

const (
	dev, staging, prod = "111111111111", "222222222222", "333333333333"
	region             = "us-east-1"
)

// stacks are the parameters of each environment's stack: a central registry in dev,
// and for "local prod" a registry in the environment's own account.
var stacks = withLists(map[string]installation{
	"dev": {dev, map[string]string{"Project": "myproject", "Env": "dev",
		"ForwardPushesTo": "arn:aws:events:us-east-1:222222222222:event-bus/default"}},
	"staging": {staging, map[string]string{"Project": "myproject", "Env": "staging",
		"EcrAccountId": dev, "EcrAccountRegion": region}},
	"prod": {prod, map[string]string{"Project": "myproject", "Env": "prod",
		"EcrAccountId": dev, "EcrAccountRegion": region}},
	"local prod": {prod, map[string]string{"Project": "myproject", "Env": "prod", "AutoDeploy": "enabled",
		"RedeployOn": "parameters,secrets,env_files", "FollowFirstRuns": "true", "ScheduleArns": "arn:aws:scheduler:" +
			"us-east-1:333333333333:schedule/myproject-schedule-group-prod-nightly-report/*"}},
})

// installation is an account, and the parameters of a stack in it.
type installation struct {
	account string
	values  map[string]string
}

// withLists adds the lists of names of the environments in examples/centralized-dev-ecr, as `deployer params` prints
// them.
func withLists(all map[string]installation) map[string]installation {
	for name, one := range all {
		env, err := environment.Load(filepath.Join("..", "examples", "centralized-dev-ecr", one.values["Env"]+".yaml"))
		if err != nil {
			panic(err)
		}
		parameters, err := stack.Parameters(env)
		if err != nil {
			panic(err)
		}
		for _, p := range parameters {
			isList := p.Name == "FamilyArns" || p.Name == "RoleArns" || p.Name == "RepositoryArns"
			if isList && name != "local prod" {
				one.values[p.Name] = p.Value
			}
		}
	}
	return all
}

// load returns the template of one of the stacks.
func load(t *testing.T, stack string) *cloudformation.Template {
	t.Helper()
	loaded, err := loadWith(t, stacks[stack].account, stacks[stack].values)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// loadWith returns the template with the given parameters.
func loadWith(t *testing.T, account string, values map[string]string) (*cloudformation.Template, error) {
	t.Helper()
	source, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parameters := cloudformation.Parameters{Account: account, Region: region, Stack: "deployer", Values: values}
	return cloudformation.LoadOnce(source, parameters)
}

// TestRulesMatchEvents matches every sample event with the rules of every stack.
func TestRulesMatchEvents(t *testing.T) {
	t.Parallel()
	want := map[string]map[string][]string{ // event → stack → rules
		"deploy-backend":             {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-service":             {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-dry-run":             {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-task":                {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-rejected-tag":        {"prod": {"DeployRule"}, "local prod": {"DeployRule"}}, // the function rejects it
		"deploy-rejected-service":    {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-staging":             {"staging": {"DeployRule"}},
		"deploy-dev":                 {"dev": {"DeployRule"}},
		"ecr-push-latest":            {"dev": {"ForwardRule", "PushRule"}, "staging": {"PushRule"}},
		"ecr-push-service":           {"dev": {"ForwardRule", "PushRule"}, "staging": {"PushRule"}},
		"ecr-push-git-tag":           {"dev": {"ForwardRule", "PushRule"}, "staging": {"PushRule"}},
		"ecr-push-signature":         {"dev": {"ForwardRule", "PushRule"}, "staging": {"PushRule"}},
		"ecr-push-task":              {"dev": {"ForwardRule", "PushRule"}, "staging": {"PushRule"}},
		"ecr-push-prod-registry":     {"local prod": {"PushRule"}},
		"ecr-push-untagged":          {},
		"ecr-push-failed":            {},
		"ecr-push-other-repository":  {},
		"ecr-push-other-account":     {},
		"ecr-delete":                 {},
		"ecr-storage-class":          {},
		"ecr-replication":            {"dev": {"ForwardRule", "PushRule"}, "staging": {"PushRule"}},
		"deploy-rejected-no-tag":     {"prod": {"DeployRule"}, "local prod": {"DeployRule"}}, // the function rejects it
		"deploy-another-project":     {},
		"deploy-another-account":     {},
		"deploy-other-source":        {}, // explain says what to send instead
		"deploy-other-type":          {},
		"ecr-scan":                   {},
		"scheduled":                  {}, // its rule has a schedule instead of a pattern
		"parameter-updated":          {"local prod": {"ParameterRule"}},
		"parameter-created":          {},
		"secret-label-updated":       {"local prod": {"SecretRule"}},
		"secret-rotation-succeeded":  {"local prod": {"SecretRule"}},
		"secret-rotation-started":    {},
		"s3-env-file-created":        {"local prod": {"FileRule"}},
		"s3-other-file-created":      {},
		"deploy-several":             {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-several-with-task":   {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-all":                 {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-rejected-several":    {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-redeploy":            {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"deploy-rollback":            {"prod": {"DeployRule"}, "local prod": {"DeployRule"}},
		"ecs-deployment-in-progress": {"prod": {"RolloutRule"}, "local prod": {"RolloutRule"}},
		"ecs-deployment-completed":   {"prod": {"RolloutRule"}, "local prod": {"RolloutRule"}},
		"ecs-deployment-failed":      {"prod": {"RolloutRule"}, "local prod": {"RolloutRule"}},
		"ecs-deployment-short-arn":   {"prod": {"RolloutRule"}, "local prod": {"RolloutRule"}},
		"ecs-task-start-impaired":    {"prod": {"RolloutRule"}, "local prod": {"RolloutRule"}},
		"ecs-steady-state":           {},
		"ecs-task-stopped":           {"local prod": {"RunRule"}},
		"ecs-task-of-service":        {},
		"ecs-hook-awaiting-action":   {"prod": {"HookRule"}, "local prod": {"HookRule"}},
		"ecs-hook-failed":            {"prod": {"HookRule"}, "local prod": {"HookRule"}},
		"ecs-hook-timed-out":         {"prod": {"HookRule"}, "local prod": {"HookRule"}},
		"ecs-hook-succeeded":         {},
		"ecs-hook-other-cluster":     {},
		"ecr-scan-resource-change":   {},
		"ecr-pull-through-cache":     {},
		"ecr-referrer":               {},
	}
	files, err := filepath.Glob("../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".json"))
	}
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), names); diff != "" {
		t.Fatalf("events/ and the table differ:\n%s", diff)
	}
	for name := range want {
		event, err := os.ReadFile("../events/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		for stack := range stacks {
			for _, rule := range load(t, stack).Rules() {
				if rule.Pattern == nil {
					continue // the rule has a schedule
				}
				p, err := pattern.Parse(rule.Pattern)
				if err != nil {
					t.Fatalf("%s of %s: %v", rule.LogicalID, stack, err)
				}
				matches, err := p.Match(event)
				if err != nil {
					t.Fatal(err)
				}
				if matches {
					got[stack] = append(got[stack], rule.LogicalID)
				}
			}
		}
		if diff := cmp.Diff(want[name], got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestRulesHaveDeadLetterQueues checks the targets of every rule: events that cannot be
// delivered go to a queue.
func TestRulesHaveDeadLetterQueues(t *testing.T) {
	t.Parallel()
	for stack := range stacks {
		loaded := load(t, stack)
		function, _ := loaded.Function("DeployerFunction")
		undelivered := fmt.Sprintf("arn:aws:sqs:us-east-1:%s:myproject_deployer_undelivered_%s",
			stacks[stack].account, stacks[stack].values["Env"])
		for _, rule := range loaded.Rules() {
			want := []cloudformation.Target{{ID: "deployer", ARN: function.ARN, DeadLetterARN: undelivered}}
			if rule.LogicalID == "ForwardRule" {
				want = []cloudformation.Target{{
					ID: "first", ARN: "arn:aws:events:us-east-1:222222222222:event-bus/default",
					DeadLetterARN: undelivered,
					RoleARN:       "arn:aws:iam::111111111111:role/myproject_deployer_forward_dev",
				}}
			}
			if diff := cmp.Diff(want, rule.Targets); diff != "" {
				t.Errorf("%s of %s:\n%s", rule.LogicalID, stack, diff)
			}
		}
	}
}
