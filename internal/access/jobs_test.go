package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/iam"
)

// outline returns the names of the roles in a policy, each with the ids of its statements.
func outline(t *testing.T, p Policy) (lines []string) {
	t.Helper()
	var roles []struct {
		RoleName, Account string
		PolicyDocument    struct{ Statement []struct{ Sid string } }
	}
	must(t, json.Unmarshal([]byte(p.JSON), &roles))
	for _, r := range roles {
		line := r.Account + " " + r.RoleName + ":"
		for _, s := range r.PolicyDocument.Statement {
			line += " " + s.Sid
		}
		lines = append(lines, line)
	}
	return lines
}

// TestPipeline lists the roles of each pattern's workflows.
func TestPipeline(t *testing.T) {
	t.Parallel()
	const (
		build  = " LogInToRegistry PushImages"
		deploy = " SendDeployEvents FindImages ReadTaskDefinitions ReadRollouts ReadTasks ReadDecisions" +
			" ReadSchedules"
		promotion = " ReadSource WriteTarget"
		pushDev   = "111111111111 myproject_github_build_dev:" + build
		dev       = "111111111111 myproject_github_deploy_dev:" + deploy
		staging   = "222222222222 myproject_github_deploy_staging:" + deploy
		prod      = "333333333333 myproject_github_deploy_prod:" + deploy
	)
	example := func(directory string, names ...string) (envs []*environment.Environment) {
		for _, name := range names {
			envs = append(envs, example(t, directory+"/"+name))
		}
		return envs
	}
	oneAccount := func(env, rest string) *environment.Environment {
		return file(t, "env: "+env+"\nregion: us-east-1\naccount_id: \"111111111111\"\necr_strategy: local\n"+rest)
	}
	tests := []struct {
		name    string
		envs    []*environment.Environment
		rebuild bool
		want    []string
	}{
		{"centralized dev", example("centralized-dev-ecr", "dev", "staging", "prod"), false,
			[]string{pushDev, dev, staging, prod}},
		{"isolated production", example("isolated-production-ecr", "dev", "staging", "prod"), false,
			[]string{pushDev, dev, staging, "333333333333 myproject_github_promote_prod:" + promotion, prod}},
		{"isolated production, built twice", example("isolated-production-ecr", "dev", "staging", "prod"), true,
			[]string{pushDev, dev, staging, "333333333333 myproject_github_build_prod:" + build, prod}},
		{"one registry each", example("per-environment-ecr", "dev", "staging", "prod"), false,
			[]string{pushDev, dev, "222222222222 myproject_github_promote_staging:" + promotion, staging,
				"333333333333 myproject_github_promote_prod:" + promotion, prod}},
		{"one registry each, built for each", example("per-environment-ecr", "dev", "staging", "prod"), true,
			[]string{pushDev, dev, "222222222222 myproject_github_build_staging:" + build, staging,
				"333333333333 myproject_github_build_prod:" + build, prod}},
		{"two environments of one account",
			[]*environment.Environment{oneAccount("dev", ""), oneAccount("staging", "")}, false,
			[]string{pushDev, strings.TrimSuffix(dev, " ReadSchedules"),
				strings.TrimSuffix("111111111111 myproject_github_deploy_staging:"+deploy, " ReadSchedules")}},
		{"one that accepts no event",
			[]*environment.Environment{oneAccount("dev", "deployer: {deploy_sources: []}\n"),
				example("centralized-dev-ecr", "prod")[0]}, false,
			[]string{pushDev, prod}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := Pipeline(tt.envs, Source{Owner: "octocat", Name: "shop"}, tt.rebuild)
			must(t, err)
			if diff := cmp.Diff(tt.want, outline(t, p)); diff != "" {
				t.Error(diff)
			}
			for _, role := range tt.want {
				name, _, _ := strings.Cut(strings.Fields(role)[1], ":")
				if !strings.Contains(p.Terraform, `name = "`+name+`"`) && !strings.Contains(p.Terraform, `"`+name+`"`) {
					t.Errorf("the Terraform lacks role %s", name)
				}
			}
		})
	}
}

// TestPipelineErrors checks what is refused.
func TestPipelineErrors(t *testing.T) {
	t.Parallel()
	dev, prod := example(t, "centralized-dev-ecr/dev"), example(t, "centralized-dev-ecr/prod")
	other := file(t, "env: prod\nregion: us-east-1\naccount_id: \"333333333333\"\n")
	other.Project = "vineyard"
	unknown := file(t, "env: qa\nregion: us-east-1\n")
	deaf := file(t, "env: prod\nregion: us-east-1\naccount_id: \"333333333333\"\necr_strategy: cross_account\n"+
		"ecr_account_id: \"111111111111\"\necr_account_region: us-east-1\ndeployer: {deploy_sources: []}\n")
	for _, tt := range []struct {
		name string
		envs []*environment.Environment
		want string
	}{
		{"one twice", []*environment.Environment{dev, prod, dev},
			"../../examples/centralized-dev-ecr/dev.yaml and ../../examples/centralized-dev-ecr/dev.yaml are both " +
				"environment dev of myproject: name each environment once"},
		{"two projects", []*environment.Environment{dev, other},
			"../../examples/centralized-dev-ecr/dev.yaml is of project myproject, and x.yaml of vineyard: name the " +
				"files of one project"},
		{"no account", []*environment.Environment{dev, unknown},
			"x.yaml does not name the account of the environment, which is part of the ARN of its event bus (add " +
				"account_id to the file, or use --account)"},
		{"nothing to do", []*environment.Environment{deaf},
			"no environment has a registry of its own, and none accepts a DEPLOY event: there is nothing that a " +
				"workflow could do"},
	} {
		_, err := Pipeline(tt.envs, Source{Owner: "octocat", Name: "shop"}, false)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestOperator checks that what people may do ends at the environment.
func TestOperator(t *testing.T) {
	t.Parallel()
	prod := example(t, "isolated-production-ecr/prod")
	p, err := Operator(prod, "", []Need{{"status", []string{"ecs:DescribeServices", "ecs:ListTasks"}},
		{"redrive", []string{"sqs:ReceiveMessage", "ecs:DescribeServices"}}})
	must(t, err)
	want := []string{"attach it to the role or the group of those who operate prod, in account 333333333333",
		"status needs ReadRollouts, ReadTasks", "redrive needs ReadQueuedEvents, ReadRollouts"}
	if diff := cmp.Diff(want, p.Notes); diff != "" {
		t.Error(diff)
	}
	const service = "arn:aws:ecs:us-east-1:333333333333:service/myproject_cluster_prod/myproject_service_prod"
	const queue = "arn:aws:sqs:us-east-1:333333333333:myproject_deployer_"
	read := caller(prodAccount, "", "ecs:DescribeServices", service)
	read.Context = map[string]string{"ecs:cluster": "arn:aws:ecs:us-east-1:333333333333:cluster/myproject_cluster_prod"}
	elsewhere := read
	elsewhere.Context = map[string]string{"ecs:cluster": "arn:aws:ecs:us-east-1:333333333333:cluster/other"}
	ask(t, parse(t, p.JSON, ""), []question{
		{"reads a service", read, 1},
		{"reads one of another cluster", elsewhere, 0},
		{"reads the failure queue", caller(prodAccount, "", "sqs:ReceiveMessage", queue+"failed_prod"), 1},
		{"reads another queue", caller(prodAccount, "", "sqs:ReceiveMessage", queue+"failed_dev"), 0},
		{"sends to the queue", caller(prodAccount, "", "sqs:SendMessage", queue+"failed_prod"), 0},
		{"updates a service", caller(prodAccount, "", "ecs:UpdateService", service), 0},
	})
	env, err := environment.Parse("shop.yaml", []byte("project: shop\nenv: eu\nregion: us-east-1\naccount_id: \""+
		prodAccount+"\"\nscheduled_tasks: [{name: report}]\nevent_processor_tasks: [{name: resize}, {name: index}]\n"+
		"deployer: {workloads: {index: {start_role: shop_events_eu}}}\n"))
	must(t, err)
	p, err = Operator(env, "", []Need{{"deploy",
		[]string{"iam:PassRole", "scheduler:UpdateSchedule", "events:PutTargets"}}})
	must(t, err)
	passing := func(role, service string) iam.Request {
		r := caller(prodAccount, "", "iam:PassRole", "arn:aws:iam::"+prodAccount+":role/"+role)
		r.Context = map[string]string{"iam:PassedToService": service + ".amazonaws.com"}
		return r
	}
	putting := caller(prodAccount, "", "events:PutTargets",
		"arn:aws:events:us-east-1:"+prodAccount+":rule/shop_rule_resize_eu")
	putting.Context = map[string]string{
		"events:TargetArn": "arn:aws:ecs:us-east-1:" + prodAccount + ":cluster/shop_cluster_eu"}
	toFunction := putting
	toFunction.Context = map[string]string{
		"events:TargetArn": "arn:aws:lambda:us-east-1:" + prodAccount + ":function:x"}
	ask(t, parse(t, p.JSON, ""), []question{
		{"passes a schedule's role", passing("shop_scheduler_report_role_eu", "scheduler"), 1},
		{"passes the schedule's role of a " +
			"neighbour", passing("shop_scheduler_scheduler_report_role_eu", "scheduler"), 0},
		{"passes the role of a rule's target", passing("shop_scheduler_resize_task_execution_eu", "events"), 1},
		{"passes one that the file names", passing("shop_events_eu", "events"), 1},
		{"passes one of a neighbour", passing("shop_admin_events_eu", "events"), 0},
		{"passes one of another environment", passing("shop_scheduler_resize_task_execution_prod_eu", "events"), 0},
		{"moves a rule's target", putting, 1},
		{"makes a rule start a function", toFunction, 0},
	})
	_, err = Operator(prod, "", []Need{{"fly", []string{"ecs:Fly"}}})
	if err == nil || err.Error() != "fly needs ecs:Fly, for which there is no statement" {
		t.Errorf("an action without a statement: %v", err)
	}
}

// TestOperatorInParts checks that the commands of a policy that is too large are named in smaller groups.
func TestOperatorInParts(t *testing.T) {
	t.Parallel()
	var services []string
	for i := range 60 {
		services = append(services, fmt.Sprintf("{name: a-service-with-a-long-name-%d}", i))
	}
	env, err := environment.Parse("eu.yaml", []byte("project: shop\nenv: eu\nregion: us-east-1\naccount_id: \""+
		prodAccount+"\"\nservices: ["+strings.Join(services, ", ")+"]\n"))
	must(t, err)
	needs := []Need{{"status", []string{"ecs:DescribeServices"}}, {"deploy", []string{"iam:PassRole"}},
		{"rollback", []string{"iam:PassRole", "ecr:BatchGetImage"}}, {"resolve", []string{"ecr:BatchGetImage"}}}
	p, err := Operator(env, "", needs)
	must(t, err)
	if len(p.Steps) > 0 {
		t.Errorf("a policy that IAM refuses has the command that puts it in place: %s", p.Steps)
	}
	note := p.Notes[len(p.Notes)-1]
	var all []string
	for _, line := range strings.Split(note, "\n")[1:] {
		_, commands, _ := strings.Cut(line, "--commands ")
		all = append(all, strings.Split(commands, ",")...)
	}
	if want := []string{"status", "deploy", "rollback", "resolve"}; !slices.Equal(all, want) {
		t.Errorf("got %s, want %s of\n%s", all, want, note)
	}
}
