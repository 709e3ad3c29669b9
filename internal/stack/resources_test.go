package stack

import (
	"fmt"
	"strings"
	"testing"
)

// largeFile returns a file of an environment with as many workloads, whose names have as many characters. It accepts
// patterns of the kinds.
func largeFile(services, scheduled, processors, length int, kinds ...string) string {
	file := "project: myproject\nenv: staging\nregion: us-east-1\naccount_id: \"333333333333\"\n" +
		"deployer: {role_patterns: [" + strings.Join(kinds, ", ") + "]}\n"
	for _, list := range []struct {
		name string
		n    int
	}{{"services", services}, {"scheduled_tasks", scheduled}, {"event_processor_tasks", processors}} {
		file += list.name + ":\n"
		for i := range list.n {
			name := fmt.Sprintf("%s-%03d", list.name[:3], i)
			file += fmt.Sprintf("  - name: %s%s\n", strings.Repeat("n", length-len(name)), name)
		}
	}
	return file
}

// TestPolicyForms checks from how many workloads on the lists are in policies of another form.
func TestPolicyForms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		services, scheduled, processors int
		policies                        int // 0 for the parameters of each kind
	}{
		{1, 1, 0, 0}, {40, 0, 0, 0}, {41, 0, 0, 3}, {100, 0, 0, 7}, {163, 0, 0, 10}, {0, 104, 0, 10}, {0, 0, 145, 10},
		{0, 0, 100, 7}, {50, 25, 25, 8},
	} {
		env := parse(t, largeFile(tt.services, tt.scheduled, tt.processors, 20))
		parameters, err := Parameters(env)
		if err != nil {
			t.Fatal(err)
		}
		accepted(t, parameters)
		policies := 0
		if text := resourceText(parameters); text != "" {
			policies = 1 + strings.Count(text, ",,")
		}
		if got := Patterns(env, parameters); got != "" || policies != tt.policies {
			t.Errorf("%+v: %d policies, %q", tt, policies, got)
		}
	}
}

// TestPolicies checks that every ARN is in one policy, that the parameters are parts of one text, and that no policy
// has more characters than IAM accepts.
func TestPolicies(t *testing.T) {
	t.Parallel()
	env := parse(t, largeFile(60, 20, 20, 12))
	const role = "arn:aws:iam::333333333333:role/team/by-hand"
	parameters, err := Parameters(env, "ExtraRoleArns="+role)
	if err != nil {
		t.Fatal(err)
	}
	text, seen := resourceText(parameters), map[string]bool{}
	for policy := range strings.SplitSeq(text, ",,") {
		size := restOfPolicy
		for arn := range strings.SplitSeq(policy, ",") {
			if size += len(arn) + 3; seen[arn] || !strings.HasPrefix(arn, "arn:aws:") {
				t.Errorf("%q is no ARN, or is in two policies", arn)
			}
			seen[arn] = true
		}
		if size > maxManaged {
			t.Errorf("a policy has %d characters", size)
		}
	}
	for _, arn := range []string{role,
		"arn:aws:ecs:us-east-1:*:task-definition/myproject_service_nnnnnser-059_staging:*",
		"arn:aws:ecs:us-east-1:*:task-definition/nnnnneve-019:*",
		"arn:aws:iam::*:role/myproject_scheduler_nnnnnsch-003_role_staging",
		"arn:aws:events:us-east-1:*:rule/myproject_rule_nnnnneve-019_staging",
		"arn:aws:ecr:us-east-1:333333333333:repository/myproject_task_nnnnneve-000",
	} {
		if !seen[arn] {
			t.Errorf("%s is in no policy", arn)
		}
	}
	for _, p := range parameters {
		if len(p.Value) > maxParameter {
			t.Errorf("%s has %d characters", p.Name, len(p.Value))
		}
		if isList := strings.HasSuffix(p.Name, "Arns") && p.Name != "ExtraRoleArns"; isList && p.Value != "" {
			t.Errorf("%s is %q, though all is in the policies of a large environment", p.Name, p.Value)
		}
	}
}

// TestNoConventionalNames checks that the lists are not empty in whose place the template has name patterns.
func TestNoConventionalNames(t *testing.T) {
	t.Parallel()
	const external = "project: p\nenv: dev\nregion: us-east-1\naccount_id: \"111111111111\"\n" +
		"workload: {backend_external_docker_image: \"%s\"}\n%s"
	for _, tt := range []struct{ name, file, families, repositories string }{
		{"no image in ECR", fmt.Sprintf(external, "nginx:1", ""),
			"arn:aws:ecs:us-east-1:111111111111:task-definition/p_service_dev:*",
			"arn:aws:ecr:us-east-1:111111111111:repository/p_backend"},
		{"names by hand", fmt.Sprintf(external, "444444444444.dkr.ecr.eu-west-1.amazonaws.com/team/app:1",
			"deployer: {workloads: {backend: {family: app}}}\n"),
			"arn:aws:ecs:us-east-1:111111111111:task-definition/app:*",
			"arn:aws:ecr:eu-west-1:444444444444:repository/team/app"},
	} {
		parameters, err := Parameters(parse(t, tt.file))
		if err != nil {
			t.Fatal(err)
		}
		accepted(t, parameters)
		for _, p := range parameters {
			wants := map[string]string{"FamilyArns": tt.families, "RepositoryArns": tt.repositories}
			if want, ok := wants[p.Name]; ok && p.Value != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, p.Name, p.Value, want)
			}
		}
	}
}
