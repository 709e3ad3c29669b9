package deploy_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/iam"
	"deployer/internal/image"
	"deployer/internal/stack"
	"deployer/testbed/aws/cloudformation"
)

// install returns a file's environment and its stack, with the parameters that the
// file implies.
func install(t *testing.T, file string, more ...string) (*environment.Environment, *cloudformation.Template) {
	t.Helper()
	env, err := environment.Parse("environment.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := stack.Parameters(env, more...)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, p := range parameters {
		values[p.Name] = p.Value
		if len(p.Value) > 4096 {
			t.Errorf("%s has %d characters, more than CloudFormation's 4096", p.Name, len(p.Value))
		}
	}
	template, err := loadWith(t, cmp.Or(env.AccountID, prod), values)
	if err != nil {
		t.Fatal(err)
	}
	return env, template
}

// uses returns the requests that an environment's deployer makes for its workloads.
func uses(env *environment.Environment) (requests []iam.Request) {
	const ecs = "arn:aws:ecs:us-east-1:" + prod + ":"
	add := func(action, resource string, context map[string]string, tags ...string) {
		requests = append(requests, iam.Request{Action: action, Resource: resource, Context: context, TagKeys: tags,
			Principal: "arn:aws:iam::" + prod + ":role/deployer", Account: prod})
	}
	schedules, rules := env.StartRoles()
	for _, role := range slices.Concat(schedules, rules) {
		add("iam:SimulatePrincipalPolicy", role, nil)
	}
	for _, role := range schedules {
		add("iam:PassRole", role, map[string]string{"iam:PassedToService": "scheduler.amazonaws.com"})
	}
	for _, role := range rules {
		add("iam:PassRole", role, map[string]string{"iam:PassedToService": "events.amazonaws.com"})
	}
	for _, w := range env.Workloads {
		add("ecr:BatchGetImage", "arn:aws:ecr:us-east-1:"+prod+":repository/"+w.Repository, nil)
		for _, p := range w.Pointers.All() {
			if p.Rule {
				add("events:ListTargetsByRule", p.ARN(env), nil)
				add("events:PutTargets", p.ARN(env),
					map[string]string{"events:TargetArn": ecs + "cluster/" + env.Cluster})
				continue
			}
			add("scheduler:GetSchedule", p.ARN(env), nil)
			add("scheduler:UpdateSchedule", p.ARN(env), nil)
		}
		for _, role := range env.Roles(w) {
			add("iam:PassRole", "arn:aws:iam::"+prod+":role/"+role,
				map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"})
		}
		family := ecs + "task-definition/" + w.Family
		add("ecs:RegisterTaskDefinition", family+":*", nil)
		add("ecs:TagResource", family+":7", nil, "deployer:outcome")
		if !w.HasService() {
			continue
		}
		add("ecs:UpdateService", ecs+"service/"+env.Cluster+"/"+w.Family,
			map[string]string{"ecs:cluster": ecs + "cluster/" + env.Cluster})
	}
	return requests
}

// TestRoleStaysAtHome checks the roles of stacks in one account, whose names contain each
// other: each allows what its own deployer does and nothing of the others, also if the roles
// that start tasks have names of their own.
func TestRoleStaysAtHome(t *testing.T) {
	t.Parallel()
	const file = "project: %s\nenv: %s\nregion: us-east-1\naccount_id: %q\necr_strategy: local\nservices: [%s]\n" +
		"scheduled_tasks: [{name: report}]\nevent_processor_tasks: [{name: resize, rules: [{name: uploads}]}, {name: " +
		"index}]\ndeployer: {workloads: {index: {start_role: %[1]s_events_%[2]s}}}\n"
	var all []installed
	// shop_scheduler is what the names of shop's starting roles begin with.
	for _, project := range []string{"shop", "shop_admin", "shop_scheduler"} {
		for _, name := range []string{"eu", "prod_eu"} {
			// Without the account, the ARNs have a wildcard for it.
			for _, account := range []string{prod, ""} {
				text := fmt.Sprintf(file, project, name, account, "{name: web}, {name: admin}")
				if account == "" {
					text = strings.Replace(text, "account_id: \"\"\n", "", 1)
				}
				env, template := install(t, text)
				all = append(all, installed{env.In(prod), document(t, roleStatements(template))})
			}
		}
	}
	stayAtHome(t, all)
}

// TestLargeRoleStaysAtHome checks the same for environments with many services or tasks, whose neighbours have the same
// ones. The lists of all that they use are exact, or their patterns do not match these neighbours' names.
func TestLargeRoleStaysAtHome(t *testing.T) {
	t.Parallel()
	for _, tt := range some(3, []struct{ services, scheduled, processors int }{
		{40, 0, 0}, {47, 0, 0}, {75, 0, 0}, {100, 0, 0}, {160, 0, 0},
		{0, 30, 0}, {0, 38, 0}, {0, 64, 0}, {0, 100, 0},
		{0, 0, 30}, {0, 0, 38}, {0, 0, 64}, {0, 0, 100}, {0, 0, 140},
		{0, 15, 15}, {0, 25, 25}, {0, 50, 50}, {20, 10, 10}, {38, 10, 10}, {50, 25, 25}, {70, 35, 35},
		{250, 0, 0}, {0, 200, 0}, {100, 70, 70}, // with patterns
	}) {
		name := fmt.Sprintf("%d services %d schedules %d rules", tt.services, tt.scheduled, tt.processors)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []installed
			for _, name := range []string{"shop eu", "shop_admin eu", "shop prod_eu"} {
				project, name, _ := strings.Cut(name, " ")
				file := fmt.Sprintf("project: %s\nenv: %s\nregion: us-east-1\naccount_id: %q\necr_strategy: local\n"+
					"deployer: {role_patterns: [repositories, schedules, roles]}\n", project, name, prod)
				for list, n := range map[string]int{"services": tt.services, "scheduled_tasks": tt.scheduled,
					"event_processor_tasks": tt.processors} {
					file += list + ":\n"
					for i := range n {
						file += fmt.Sprintf("  - name: %s-with-name-%03d\n", list[:5], i)
					}
				}
				env, template := install(t, file)
				for _, fault := range policyFaults(t, template) {
					t.Error(fault)
				}
				all = append(all, installed{env, document(t, roleStatements(template))})
			}
			stayAtHome(t, all)
		})
	}
}

// installed is an environment, and what the role of its deployer may do.
type installed struct {
	env    *environment.Environment
	policy *iam.Document
}

// stayAtHome checks that each role allows what its own deployer does and nothing of the others.
func stayAtHome(t *testing.T, all []installed) {
	t.Helper()
	for _, own := range all {
		for _, other := range all {
			same := own.env.Project == other.env.Project && own.env.Name == other.env.Name
			for _, request := range uses(other.env) {
				want := iam.NoMatch
				if !same && ofTask(other.env, request.Resource) {
					continue // families of tasks are called NAME: the environments of an account share them
				}
				// The environments of a project share its repositories.
				if same || request.Action == "ecr:BatchGetImage" && own.env.Project == other.env.Project {
					want = iam.Allow
				}
				if got := own.policy.Evaluate(request); got != want {
					t.Errorf("the role of %s in %s: %s on %s is %v, want %v", own.env.Project, own.env.Name,
						request.Action, request.Resource, got, want)
				}
			}
		}
	}
}

// ofTask reports whether an ARN is that of the family of a task.
func ofTask(env *environment.Environment, arn string) bool {
	_, revision, _ := strings.Cut(arn, ":task-definition/")
	family, _, _ := strings.Cut(revision, ":")
	return slices.ContainsFunc(env.Workloads, func(w environment.Workload) bool {
		return !w.HasService() && w.Family == family
	})
}

// TestRoleFits checks that the role's policy stays within IAM's limit and each
// parameter within CloudFormation's, for up to 119 services with long names, and that
// the role covers all of them.
func TestRoleFits(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:us-east-1:" + prod + ":key/11111111-2222-3333-4444-555555555555"
	keys := "KmsKeyArns=" + key + strings.Repeat(","+key, 4)
	file := fmt.Sprintf("project: %s\nenv: %s\nregion: us-east-1\naccount_id: %q\necr_strategy: local\n"+
		"deployer: {cluster: %s, notify: {topic: \"arn:aws:sns:us-east-1:%[3]s:%s\",\n"+
		"  slack: /aws/reference/secretsmanager/%[1]s/slack}}\nservices:\n",
		strings.Repeat("p", 30), strings.Repeat("e", 14), prod, strings.Repeat("c", 100), strings.Repeat("t", 100))
	for n := range 119 {
		file += fmt.Sprintf("  - name: service-with-a-name-%d\n", n)
		if n > 30 && n%10 != 9 || n%5 != 4 && !everyCase {
			continue
		}
		env, template := install(t, file, keys)
		policy := document(t, roleStatements(template))
		for _, fault := range policyFaults(t, template) {
			t.Errorf("%d services: %s", n+1, fault)
		}
		for _, request := range uses(env) {
			if got := policy.Evaluate(request); got != iam.Allow {
				t.Errorf("%d services: %s on %s is %v", n+1, request.Action, request.Resource, got)
			}
		}
	}
}

// TestRoleFitsTasks checks the same for services and tasks in the regions with the longest names, and that
// `deployer params` refuses what does not fit, and nothing else.
func TestRoleFitsTasks(t *testing.T) {
	t.Parallel()
	for _, region := range some(3, []string{"ap-northeast-1", "us-east-1", "us-gov-east-1"}) {
		for services := 0; services < 40; services += 8 {
			for tasks := 0; tasks < 45; tasks += 5 {
				file := fmt.Sprintf("project: myproject\nenv: staging\nregion: %s\naccount_id: %q\necr_strategy: "+
					"local\n",
					region, prod)
				for list, n := range map[string]int{"services": services, "scheduled_tasks": (tasks + 1) / 2,
					"event_processor_tasks": tasks / 2} {
					file += list + ":\n"
					for i := range n {
						file += fmt.Sprintf("  - name: %s-%d\n", list[:5], i)
					}
				}
				env, err := environment.Parse("environment.yaml", []byte(file))
				if err != nil {
					t.Fatal(err)
				}
				parameters, err := stack.Parameters(env)
				if err != nil {
					if tasks < 30 {
						t.Errorf("%s, %d services, %d tasks: %v", region, services, tasks, err)
					}
					continue
				}
				for _, fault := range policyFaults(t, withParameters(t, env, parameters)) {
					t.Errorf("%s, %d services, %d tasks: %s", region, services, tasks, fault)
				}
			}
		}
	}
}

// withParameters returns the template of a stack with parameters.
func withParameters(t *testing.T, env *environment.Environment, parameters []stack.Parameter,
) *cloudformation.Template {
	t.Helper()
	values := map[string]string{}
	for _, p := range parameters {
		values[p.Name] = p.Value
	}
	source, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	template, err := cloudformation.Load(source, cloudformation.Parameters{Account: env.AccountID, Region: env.Region,
		Partition: image.PartitionOf(env.Region).Name, Stack: "deployer", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return template
}
