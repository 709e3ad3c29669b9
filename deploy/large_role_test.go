package deploy_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/stack"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// largeFile returns taskFile with services that make it large: their ARNs do not fit into the lists by kind.
func largeFile() string {
	file := fmt.Sprintf(taskFile, prod) + "services:\n"
	for i := range 60 {
		file += fmt.Sprintf("  - name: service-%03d\n", i)
	}
	return file
}

// TestLargeRoleIsSufficient deploys a service with the role of a large environment, and not without its resources.
func TestLargeRoleIsSufficient(t *testing.T) {
	t.Parallel()
	env, err := environment.Load(filepath.Join("..", "examples", "centralized-dev-ecr", "prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := stack.Parameters(env)
	if err != nil {
		t.Fatal(err)
	}
	// The example is not large: its lists are put where those of a large one are.
	values, arns := maps.Clone(stacks["prod"].values), []string{}
	for _, p := range parameters {
		if name := p.Name; strings.HasSuffix(name, "Arns") && p.Value != "" {
			arns = append(arns, p.Value)
			delete(values, name)
		}
	}
	text := strings.Join(arns, ",")
	values["ResourceArns1"], values["ResourceArns2"] = text[:300], text[300:]
	template, err := loadWith(t, stacks["prod"].account, values)
	if err != nil {
		t.Fatal(err)
	}
	all := roleStatements(template)
	if got, err := deployWith(t, "prod", all); err != nil || got.Status != "deployed" {
		t.Errorf("%+v, %v", got, err)
	}
	rest := slices.DeleteFunc(all, func(s any) bool { return member(s, "Sid") == "UseResources" })
	if got, err := deployWith(t, "prod", rest); fault.NameOf(err) != "AccessDenied" {
		t.Errorf("without UseResources: %+v, %v: want AccessDenied", got, err)
	}
}

// TestLargeRoleOfTasks deploys a scheduled task and an event-processor task with the role of a large environment.
func TestLargeRoleOfTasks(t *testing.T) {
	t.Parallel()
	e, url := emulatortest.Start(t, emulator.Options{})
	a := createTasks(t, url, ruleRole)
	env, template := install(t, largeFile())
	e.SetRolePolicy(prod, "deployer", document(t, roleStatements(template)))
	function, ctx := functionIn(t, url, prod, env)
	for _, task := range []string{"report", "resize"} {
		result, err := function.Handle(ctx, deployTask(task))
		if text := fmt.Sprintf("%+v", result); err != nil || strings.Contains(text, "not checked") {
			t.Errorf("%s: %s, %v", task, text, err)
		}
	}
	if got := taskHolders(t, a); got != "report:2 resize:2" {
		t.Errorf("the schedule and the target hold %s", got)
	}
}

// TestLargeRoleIsNarrow evaluates requests that the role of a large environment must and must not allow.
func TestLargeRoleIsNarrow(t *testing.T) {
	t.Parallel()
	const (
		ecs      = "arn:aws:ecs:us-east-1:" + prod + ":"
		family   = ecs + "task-definition/myproject_service_service-007_"
		role     = "arn:aws:iam::" + prod + ":role/"
		rule     = "arn:aws:events:us-east-1:" + prod + ":rule/"
		schedule = "arn:aws:scheduler:us-east-1:" + prod + ":schedule/"
		registry = "arn:aws:ecr:us-east-1:" + prod + ":repository/"
	)
	type context = map[string]string
	to := func(service string) context { return context{"iam:PassedToService": service + ".amazonaws.com"} }
	target := func(arn string) context { return context{"events:TargetArn": arn} }
	_, template := install(t, largeFile())
	if names := rolePolicies(template); len(names) < 3 || !strings.Contains(names[1].name, "_resources_") {
		t.Fatalf("the environment is not large: %d policies", len(names))
	}
	d := document(t, roleStatements(template))
	for _, tt := range []struct {
		name, action, resource string
		context                context
		tags                   []string
		want                   iam.Decision
	}{
		{"register", "ecs:RegisterTaskDefinition", family + "prod:*", nil, nil, iam.Allow},
		{"register a task's family", "ecs:RegisterTaskDefinition", ecs + "task-definition/report:*", nil, nil,
			iam.Allow},
		{"register in another environment", "ecs:RegisterTaskDefinition", family + "eu_prod:*", nil, nil, iam.NoMatch},
		{"register a family whose name is longer", "ecs:RegisterTaskDefinition", ecs + "task-definition/report2:*", nil,
			nil, iam.NoMatch},
		{"register in another region", "ecs:RegisterTaskDefinition",
			strings.Replace(family, "us-east-1", "eu-west-1", 1) + "prod:*", nil, nil, iam.NoMatch},
		{"tag when registering", "ecs:TagResource", family + "prod:*",
			context{"ecs:CreateAction": "RegisterTaskDefinition"}, []string{"deployer:digest", "Name"}, iam.Allow},
		{"note an outcome", "ecs:TagResource", family + "prod:7", nil, []string{"deployer:outcome"}, iam.Allow},
		{"tag later", "ecs:TagResource", family + "prod:7", nil, []string{"deployer:digest"}, iam.Deny},
		{"tag later with an outcome, too", "ecs:TagResource", family + "prod:7", nil,
			[]string{"deployer:outcome", "Name"}, iam.Deny},
		{"note an outcome of another environment", "ecs:TagResource", family + "eu_prod:7", nil,
			[]string{"deployer:outcome"}, iam.NoMatch},
		{"tag a service", "ecs:TagResource", ecs + "service/myproject_cluster_prod/any", nil,
			[]string{"deployer:outcome"}, iam.NoMatch},
		{"pass a role", "iam:PassRole", role + "myproject_service_service-007_task_prod", to("ecs-tasks"), nil,
			iam.Allow},
		{"pass a starting role", "iam:PassRole", role + "myproject_scheduler_report_role_prod", to("scheduler"), nil,
			iam.Allow},
		{"pass it to Lambda", "iam:PassRole", role + "myproject_service_service-007_task_prod", to("lambda"), nil,
			iam.Deny},
		{"pass it to any service", "iam:PassRole", role + "myproject_service_service-007_task_prod", nil, nil,
			iam.Deny},
		{"pass a role of another environment", "iam:PassRole", role + "myproject_service_service-007_task_eu_prod",
			to("ecs-tasks"), nil, iam.NoMatch},
		{"give a schedule its role", "iam:PassRole", role + "myproject_deployer_retry_prod", to("scheduler"), nil,
			iam.Allow},
		{"ask what a starting role may", "iam:SimulatePrincipalPolicy", ruleRole, nil, nil, iam.Allow},
		{"ask what any role may", "iam:SimulatePrincipalPolicy", role + "Admin", nil, nil, iam.NoMatch},
		{"move a target", "events:PutTargets", rule + taskRule, target(taskCluster), nil, iam.Allow},
		{"move a target without naming it", "events:PutTargets", rule + taskRule, nil, nil, iam.Deny},
		{"a target that is a function", "events:PutTargets", rule + taskRule,
			target("arn:aws:lambda:us-east-1:" + prod + ":function:any"), nil, iam.NoMatch},
		{"a rule of another environment", "events:PutTargets", rule + "myproject_rule_uploads_eu_prod",
			target(taskCluster), nil, iam.NoMatch},
		{"read a rule's targets", "events:ListTargetsByRule", rule + taskRule, nil, nil, iam.Allow},
		{"change a rule", "events:PutRule", rule + taskRule, nil, nil, iam.NoMatch},
		{"move a schedule", "scheduler:UpdateSchedule", schedule + taskGroup + "/" + taskSchedule, nil, nil, iam.Allow},
		{"another schedule of the group", "scheduler:UpdateSchedule", schedule + taskGroup + "/other", nil, nil,
			iam.NoMatch},
		{"read an image", "ecr:BatchGetImage", registry + "myproject_service_service-007", nil, nil, iam.Allow},
		{"read another project's image", "ecr:BatchGetImage", registry + "myproject_service_backend", nil, nil,
			iam.NoMatch},
		{"read another registry's image", "ecr:BatchGetImage",
			strings.Replace(registry, prod, dev, 1) + "myproject_service_service-007", nil, nil, iam.NoMatch},
		{"push", "ecr:PutImage", registry + "myproject_service_service-007", nil, nil, iam.NoMatch},
	} {
		got := d.Evaluate(iam.Request{Principal: role + "deployer", Account: prod, Action: tt.action,
			Resource: tt.resource, Context: tt.context, TagKeys: tt.tags})
		if got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestLargeRules checks that the rules of a large environment are those of any other: they do not depend on the form of
// the lists.
func TestLargeRules(t *testing.T) {
	t.Parallel()
	const byHand = "  - {name: other, docker_image: 444444444444.dkr.ecr.eu-west-1.amazonaws.com/team/other:1}\n"
	services, _, _ := strings.Cut(largeFile(), "scheduled_tasks")
	_, list, _ := strings.Cut(largeFile(), "services:")
	services += "services:" + list
	for _, tt := range []struct {
		name, file string
		runs       bool
		repository string
	}{
		{"tasks", largeFile(), true, `[map[prefix:myproject_]]`},
		{"no tasks", services, false, `[map[prefix:myproject_]]`},
		{"a repository by hand", services + byHand, false, `[map[exists:true]]`},
	} {
		file := strings.Replace(tt.file, "env: prod", "env: eu", 1)
		_, template := install(t, file, "FollowFirstRuns=true")
		if runs := template.Resource("RunRule") != nil; runs != tt.runs {
			t.Errorf("%s: ends of runs are reported: %t, want %t", tt.name, runs, tt.runs)
		}
		got := fmt.Sprint(member(template.Resource("PushRule"), "Properties", "EventPattern", "detail",
			"repository-name"))
		if got != tt.repository {
			t.Errorf("%s: pushes of %s deploy, want %s", tt.name, got, tt.repository)
		}
	}
}

// TestRoleOfOtherNames checks that a role has no name patterns because the environment has no conventional names.
func TestRoleOfOtherNames(t *testing.T) {
	t.Parallel()
	const head = "project: shop\nenv: eu\nregion: us-east-1\naccount_id: %q\n" +
		"workload: {backend_external_docker_image: %q}\n"
	lists := []string{"RegisterTaskDefinitions", "NoteOutcomes", "PassTaskRoles", "FindImages"}
	for _, tt := range []struct{ name, image, rest string }{
		{"names by hand", "444444444444.dkr.ecr.us-east-1.amazonaws.com/x",
			"deployer: {workloads: {backend: {family: app}}}\n"},
		{"no image in ECR", "nginx:1", ""},
		{"tasks only", "nginx:1", "scheduled_tasks: [{name: report}]\n" +
			"deployer: {workloads: {backend: {family: app}}}\n"},
	} {
		_, template := install(t, fmt.Sprintf(head, prod, tt.image)+tt.rest)
		for _, s := range roleStatements(template) {
			sid := fmt.Sprint(member(s, "Sid"))
			if !slices.Contains(lists, sid) {
				continue
			}
			for _, arn := range member(s, "Resource").([]any) {
				if strings.Contains(strings.TrimSuffix(fmt.Sprint(arn), ":*"), "*") {
					t.Errorf("%s: %s is about %s", tt.name, sid, arn)
				}
			}
		}
	}
}
