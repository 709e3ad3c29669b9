package doctor

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/testbed/aws/emulator"
)

// addRule puts a rule on dev's default bus, with targets given by ARN.
func (x *fixture) addRule(t *testing.T, name, pattern string, state types.RuleState, targets ...string) {
	t.Helper()
	client := eventbridge.NewFromConfig(x.accounts["dev"].Config)
	_, err := client.PutRule(t.Context(), &eventbridge.PutRuleInput{
		Name: aws.String(name), EventPattern: aws.String(pattern), State: state})
	must(t, err)
	var all []types.Target
	for _, target := range targets {
		all = append(all, types.Target{Id: aws.String(target[len(target)-8:]), Arn: aws.String(target),
			RoleArn: aws.String("arn:aws:iam::111111111111:role/events")})
	}
	if all == nil {
		return
	}
	_, err = client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(name), Targets: all})
	must(t, err)
}

// addForwarding adds a rule to dev's bus that forwards pushes to another bus, with a
// dead-letter queue.
func (x *fixture) addForwarding(t *testing.T, name, bus string) {
	t.Helper()
	x.addRule(t, name, `{"source":["aws.ecr"]}`, "", bus)
	_, err := eventbridge.NewFromConfig(x.accounts["dev"].Config).PutTargets(t.Context(), &eventbridge.PutTargetsInput{
		Rule: aws.String(name), Targets: []types.Target{{Id: aws.String(bus[len(bus)-8:]), Arn: aws.String(bus),
			RoleArn: aws.String("arn:aws:iam::111111111111:role/events"), DeadLetterConfig: &types.DeadLetterConfig{
				Arn: aws.String("arn:aws:sqs:us-east-1:111111111111:myproject_deployer_undelivered_dev")}}}})
	must(t, err)
}

// TestOthers checks what the doctor finds about rules on the bus that match the same events.
func TestOthers(t *testing.T) {
	t.Parallel()
	const lambda = "arn:aws:lambda:us-east-1:111111111111:function:"
	const off = "if it deploys the same services, switch it off (docs/how-to/install.md): aws events disable-rule " +
		"--region us-east-1 --name "
	const again = "; remove it from the infrastructure too, which may enable it again"
	const known = ": the infrastructure's own deployer, which deploys the same events by its own rules"
	const knownToo = ": the infrastructure's own deployer, which deploys the same services"
	const may = ": it may deploy the same services"
	none := Finding{"other rules", "", OK,
		"no other rule of the default bus matches the DEPLOY and push events of dev", ""}
	x := func(kinds string) Finding {
		return Finding{"other rules", "", Warning, `rule "x" matches ` + kinds + ", and its target is the function " +
			lambda + "x" + may, off + "x" + again}
	}
	tests := []struct {
		name, rule, pattern string
		state               types.RuleState
		targets             []string
		want                Finding
	}{
		{name: "none", want: none},
		{"the infrastructure's rule of pushes", "myproject_ci_ecr_dev",
			`{"source":["aws.ecr"],"detail-type":["ECR Image Action"]` +
				`,"detail":{"action-type":["PUSH"],"result":["SUCCESS"]}}`,
			"", []string{lambda + "myproject_ci_lambda_dev"},
			Finding{"other rules", "", Problem, `rule "myproject_ci_ecr_dev" matches pushes, and its target is the ` +
				"function " + lambda + "myproject_ci_lambda_dev" + known, off + "myproject_ci_ecr_dev" + again}},
		{"the infrastructure's rule of DEPLOY", "myproject_ci_manual_dev",
			`{"source":["action.dev"],"detail-type":["DEPLOY"]}`, "", []string{lambda + "myproject_ci_lambda_dev:live"},
			Finding{"other rules", "", Problem, `rule "myproject_ci_manual_dev" matches DEPLOY ` +
				`events of action.dev, and ` +
				"its target is the function " + lambda + "myproject_ci_lambda_dev:live" + known,
				off + "myproject_ci_manual_dev" + again}},
		{"its function under another rule", "pushes", `{"source":[{"prefix":"aws."}]}`, "",
			[]string{lambda + "ci_lambda_dev"},
			Finding{"other rules", "", Problem, `rule "pushes" matches pushes, and its target is ` +
				`the function ` + lambda +
				"ci_lambda_dev" + known, off + "pushes" + again}},
		{"disabled", "myproject_ci_manual_global_dev", `{"source":["action.dev"]}`, types.RuleStateDisabled,
			[]string{lambda + "myproject_ci_lambda_dev"},
			Finding{"other rules", "", OK, `rule "myproject_ci_manual_global_dev" matches DEPLOY ` +
				`events of action.dev, ` +
				"but it is disabled", ""}},
		{"no target", "ecr_events_cicd", `{"source":["aws.ecr"]}`, "", nil,
			Finding{"other rules", "", OK, `rule "ecr_events_cicd" matches too, but has no target`, ""}},
		{"everything", "everything", `{"account":["111111111111"]}`, "", []string{lambda + "audit"},
			Finding{"other rules", "", Warning, `rule "everything" matches DEPLOY events of ` +
				`action.dev and pushes, and ` +
				"its target is the function " + lambda + "audit" + may, off + "everything" + again}},
		{"a pipeline and a queue", "build",
			`{"source":["aws.ecr"],"detail":{"repository-name":["myproject_backend"]}}`, "",
			[]string{"arn:aws:codepipeline:us-east-1:111111111111:deploy-backend",
				"arn:aws:sqs:us-east-1:111111111111:pushed"},
			Finding{"other rules", "", Warning, `rule "build" matches pushes, and its target is the ` +
				`CodePipeline pipeline ` +
				"arn:aws:codepipeline:us-east-1:111111111111:deploy-backend, and the queue, whose reader may be a " +
				"deployer, arn:aws:sqs:us-east-1:111111111111:pushed" + may, off + "build" + again}},
		{"a CodeBuild project", "scan", `{"detail":{"repository-name":["myproject_service_web-api"]}}`, "",
			[]string{"arn:aws:codebuild:us-east-1:111111111111:project/scan"},
			Finding{"other rules", "", Warning, `rule "scan" matches pushes, and its target is the CodeBuild project ` +
				"arn:aws:codebuild:us-east-1:111111111111:project/scan" + may, off + "scan" + again}},
		{"our function twice", "again", `{"source":["action.dev"]}`, "", []string{lambda + "myproject_deployer_dev"},
			Finding{"other rules", "", Warning, `rule "again" matches DEPLOY events of action.dev, ` +
				`and its target is this ` +
				"deployer's own function, which gets each event twice" + may, off + "again" + again}},
		{"another project's deployer", "shop_deployer_deploy_dev",
			`{"source":["action.dev"],"detail":{"project":[{"exists":false},"shop"]}}`, "",
			[]string{lambda + "shop_deployer_dev"},
			Finding{"other rules", "", OK, `rule "shop_deployer_deploy_dev" matches DEPLOY events ` +
				`of action.dev without a ` +
				`project, and its target is the deployer of project "shop" and environment "dev", ` + lambda +
				"shop_deployer_dev: it does not deploy services of myproject", ""}},
		{"another environment of the project", "myproject_deployer_push_qa",
			`{"source":["aws.ecr"],"detail-type":["ECR Image Action"]}`, "",
			[]string{lambda + "myproject_deployer_qa"},
			Finding{"other rules", "", OK, `rule "myproject_deployer_push_qa" matches pushes, and its target is the ` +
				`deployer of project "myproject" and environment "qa", ` + lambda +
				"myproject_deployer_qa: it deploys qa of myproject, not dev", ""}},
		{"pushes of some tags", "x",
			`{"source":["aws.ecr"],"detail-type":["ECR Image Action"],"detail":{"image-tag":[{"prefix":"git-"}]}}`, "",
			[]string{lambda + "x"}, x("pushes")},
		{"pushes of any tag but one", "x",
			`{"source":["aws.ecr"],"detail":{"image-tag":[{"anything-but":["latest"]}]}}`, "",
			[]string{lambda + "x"}, x("pushes")},
		{"pushes of a tag that no sample has", "x",
			`{"source":["aws.ecr"],"detail":{"$or":[{"image-tag":["nightly"]},{"image-tag":[{"wildcard":"r*-b*"}]}]}}`,
			"", []string{lambda + "x"}, x("pushes")},
		{"replications", "x", `{"source":["aws.ecr"],"detail-type":["ECR Replication Action"]}`, "",
			[]string{lambda + "x"}, x("pushes")},
		{"pushes to a task's repository", "x",
			`{"detail":{"repository-name":["myproject_task_nightly-report"]}}`, "",
			[]string{lambda + "x"}, x("pushes")},
		{"DEPLOY of one service", "x",
			`{"source":["action.dev"],"detail-type":["DEPLOY"],"detail":{"service":["web-api"]}}`, "",
			[]string{lambda + "x"}, x("DEPLOY events of action.dev")},
		{"DEPLOY of some tags without an action", "x",
			`{"source":["action.dev"],"detail":{"tag":[{"prefix":"v"}],"action":[{"exists":false}]}}`, "",
			[]string{lambda + "x"}, x("DEPLOY events of action.dev")},
		{"DEPLOY of another service", "x", `{"source":["action.dev"],"detail":{"service":["shop"]}}`, "",
			[]string{lambda + "x"}, none},
		{"a known name, other events", "myproject_ci_manual_global_dev", `{"source":["release"]}`, "",
			[]string{lambda + "x"},
			Finding{"other rules", "", Problem, `rule "myproject_ci_manual_global_dev" matches ` +
				"other events than those of dev, and its target is the function " + lambda + "x" + knownToo,
				off + "myproject_ci_manual_global_dev" + again}},
		{"a known target, other events", "x", `{"source":["release"]}`, "", []string{lambda + "ci_lambda_dev:live"},
			Finding{"other rules", "", Problem, `rule "x" matches other events than those of dev, and its target is ` +
				"the function " + lambda + "ci_lambda_dev:live" + knownToo, off + "x" + again}},
		{"a known name, disabled", "ecr_events_cicd", `{"source":["release"]}`, types.RuleStateDisabled,
			[]string{lambda + "x"}, Finding{"other rules", "", OK, `rule "ecr_events_cicd" matches other events than ` +
				"those of dev, but it is disabled", ""}},
		{"a known name, other events, no target", "ecr_events_cicd", `{"source":["release"]}`, "", nil,
			Finding{"other rules", "", OK, `rule "ecr_events_cicd" has no target`, ""}},
		{"other events", "other", `{"source":["action.prod","aws.ecs"]}`, "", []string{lambda + "x"}, none},
		{"another repository", "repository", `{"source":["aws.ecr"],"detail":{"repository-name":["shop"]}}`, "",
			[]string{lambda + "x"}, none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newFixture(t)
			if tt.rule != "" {
				x.addRule(t, tt.rule, tt.pattern, tt.state, tt.targets...)
			}
			if diff := cmp.Diff([]Finding{tt.want}, x.others(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSamplesOfProduction checks that a rule which deploys pushes is found where no push deploys.
func TestSamplesOfProduction(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range samples(load(t, "prod"), "") {
		if !slices.Contains(got, e.name+" of "+e.account) {
			got = append(got, e.name+" of "+e.account)
		}
	}
	want := []string{"DEPLOY events of action.prod of 333333333333",
		"DEPLOY events of action.prod without a project of 333333333333",
		"DEPLOY events of action.production of 333333333333",
		"DEPLOY events of action.production without a project of 333333333333", "pushes of 111111111111"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestOthersDenied: what could not be looked at is unknown, and no problem.
func TestOthersDenied(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"events:ListRules", "events:TestEventPattern", "events:ListTargetsByRule"} {
		x := newFixture(t)
		x.addRule(t, "ecr_events_cicd", `{"source":["aws.ecr"]}`, "",
			"arn:aws:lambda:us-east-1:111111111111:function:ci_lambda_dev")
		x.aws.Inject(emulator.Fault{Operation: action, Error: emulator.AccessDenied("no " + action)})
		got := x.others(t)
		if len(got) != 1 || got[0].Level != Unknown || got[0].Seen != "not checked, access denied: no "+action {
			t.Errorf("%s: %+v", action, got)
		}
	}
}

// others returns the findings in dev about the rules of the bus.
func (x *fixture) others(t *testing.T) (found []Finding) {
	t.Helper()
	for _, f := range x.examine(t, load(t, "dev"), "").Findings {
		if f.Check == "other rules" {
			found = append(found, f)
		}
	}
	return found
}

// TestOthersAreDocumented checks that the page to which the doctor refers says how another
// deployer is switched off, with every name that the doctor knows.
func TestOthersAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/how-to/install.md")
	must(t, err)
	_, section, found := strings.Cut(string(text), "\n## Switch off another deployer\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("docs/how-to/install.md has no section on it")
	}
	c := &checker{env: &environment.Environment{Project: "PROJECT", Name: "ENV"}}
	names := regexp.MustCompile("`([A-Za-z_]*ci[A-Za-z_]*)`").FindAllStringSubmatch(section, -1)
	var documented []string
	for _, m := range names {
		if documented = append(documented, m[1]); !c.isKnown(m[1]) {
			t.Errorf("the doctor does not know %s", m[1])
		}
	}
	want := []string{"PROJECT_ci_ecr_ENV", "PROJECT_ci_manual_ENV", "PROJECT_ci_manual_global_ENV", "ecr_events_cicd",
		"PROJECT_ci_lambda_ENV", "ci_lambda_ENV"}
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Error(diff)
	}
	for _, step := range []string{"aws events disable-rule --region ", "deployer history", "Remove the rules and the " +
		"function from the infrastructure"} {
		if !strings.Contains(section, step) {
			t.Errorf("it lacks the step %q", step)
		}
	}
}
