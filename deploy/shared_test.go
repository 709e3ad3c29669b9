package deploy_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/stack"
	"deployer/testbed/aws/cloudformation"
)

// nameOf has what stack.Names calls a resource, and the property with its name. It leaves out those that are named as
// the function is.
var nameOf = map[string][2]string{
	"AWS::Lambda::Function":         {"function", "FunctionName"},
	"AWS::Serverless::Function":     {"function", "FunctionName"},
	"AWS::IAM::Role":                {"role", "RoleName"},
	"AWS::IAM::ManagedPolicy":       {"managed policy", "ManagedPolicyName"},
	"AWS::Events::Rule":             {"rule", "Name"},
	"AWS::SQS::Queue":               {"queue", "QueueName"},
	"AWS::Scheduler::ScheduleGroup": {"schedule group", "Name"},
	"AWS::CloudWatch::Alarm":        {"alarm", "AlarmName"},
	"AWS::CloudWatch::Dashboard":    {"", "DashboardName"},
	"AWS::Events::EventBusPolicy":   {"", "StatementId"},
	"AWS::Logs::LogGroup":           {"", "LogGroupName"},
}

// namesOf returns the names that deploy/template.yaml gives in the stacks of PROJECT and ENV, by type.
func namesOf(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, values := range everyResource() {
		values["Project"], values["Env"] = "PROJECT", "ENV"
		loaded, err := loadWith(t, prod, values)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range loaded.Resources("") {
			resource := loaded.Resource(id)
			kind := fmt.Sprint(member(resource, "Type"))
			name, _ := member(resource, "Properties", nameOf[kind][1]).(string)
			if name != "" && !slices.Contains(all[kind], name) {
				all[kind] = append(all[kind], name)
			}
		}
	}
	return all
}

// inAccountOf returns an environment of an account, with a task that is called as the backend is.
func inAccountOf(t *testing.T, project, env, region, account string) *environment.Environment {
	t.Helper()
	file := fmt.Sprintf("project: %q\nenv: %q\nregion: %s\necr_strategy: local\naccount_id: %q\n"+
		"services: [{name: backend}]\nscheduled_tasks: [{name: service}]\n", project, env, region, account)
	parsed, err := environment.Parse("environment.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestStackNames checks that stack.Names has the names of the templates.
func TestStackNames(t *testing.T) {
	t.Parallel()
	want, got := map[string][]string{}, map[string][]string{}
	for kind, names := range namesOf(t) {
		if what := nameOf[kind][0]; what != "" {
			for _, name := range names {
				want[what] = append(want[what], strings.NewReplacer("PROJECT", "shop", "ENV", "dev").Replace(name))
			}
		}
	}
	want["stack"] = []string{"shop-deployer-dev", "shop-registry-dev"}
	env := inAccountOf(t, "shop", "dev", region, prod)
	parameters, err := stack.RegistryParameters(env, false)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("registry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, p := range parameters {
		values[p.Name] = p.Value
	}
	registry, err := cloudformation.Load(source, cloudformation.Parameters{Account: prod, Region: region,
		Stack: "registry", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range registry.Repositories() {
		want["repository"] = append(want["repository"], r.Name)
	}
	for _, name := range stack.Names(env) {
		got[name.What] = append(got[name.What], name.Name)
	}
	for _, all := range []map[string][]string{want, got} {
		for _, names := range all {
			slices.Sort(names)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the names of the stacks (-templates +stack.Names):\n%s", diff)
	}
}

// TestSharedNames generates pairs of environments, and compares stack.Shared with the names in the templates.
func TestSharedNames(t *testing.T) {
	t.Parallel()
	names := namesOf(t)
	words := []string{"a", "b", "deployer", "retry", "forward", "push", "failed", "roles", "more", "registry",
		"service", "backend", "resources", "1", "B"}
	random := rand.New(rand.NewPCG(1, 2))
	join := func(lower bool, longest int) string {
		for {
			text := words[random.IntN(len(words))]
			for range random.IntN(4) {
				text += []string{"_", "-"}[random.IntN(4)/3] + words[random.IntN(len(words))]
			}
			if lower {
				text = strings.ToLower(text)
			}
			if len(text) <= longest {
				return text
			}
		}
	}
	found := map[bool]int{}
	check := func(project, env, region, otherProject, otherEnv, otherRegion string) {
		t.Helper()
		a := inAccountOf(t, project, env, region, prod)
		b := inAccountOf(t, otherProject, otherEnv, otherRegion, prod)
		want := shareName(names, project, env, otherProject, otherEnv, region == otherRegion)
		want = want && (project != otherProject || env != otherEnv || region != otherRegion)
		shared := slices.DeleteFunc(stack.Shared(a, b), func(m stack.Made) bool {
			return m.What == "stack" || m.What == "repository"
		})
		if got := len(shared) > 0; got != want {
			t.Fatalf("%s %s in %s and %s %s in %s share a name: %t %v, want %t", project, env, region, otherProject,
				otherEnv, otherRegion, got, shared, want)
		}
		found[want]++
	}
	for range 1500 {
		project, env, otherRegion := join(true, 30), join(false, 14), region
		other, otherEnv := join(true, 30), join(false, 14)
		switch random.IntN(5) {
		case 0: // the same, in another region
			other, otherEnv, otherRegion = project, env, "eu-west-1"
		case 1: // one environment's name is within the other's
			other, otherEnv = project, words[random.IntN(len(words))]+"_"+env
		case 2: // the border is elsewhere
			long := project + "_deployer_" + env
			cut := strings.LastIndex(long, "_deployer_")
			other, otherEnv = long[:cut], long[cut+len("_deployer_"):]
		}
		if len(other) > 30 || len(otherEnv) > 14 || strings.ToLower(other) != other {
			continue
		}
		check(project, env, region, other, otherEnv, otherRegion)
	}
	if found[true] < 100 || found[false] < 100 {
		t.Errorf("%d pairs share a name and %d do not: too few", found[true], found[false])
	}
}

// shareName reports whether the stacks of two environments have a resource of one type with one name.
func shareName(names map[string][]string, project, env, otherProject, otherEnv string, oneRegion bool) bool {
	for kind, all := range names {
		iam := strings.HasPrefix(kind, "AWS::IAM::")
		if !iam && !oneRegion {
			continue
		}
		first := map[string]bool{}
		fill := func(name, project, env string) string {
			name = strings.Replace(strings.Replace(name, "PROJECT", project, 1), "ENV", env, 1)
			if iam { // "Names are not distinguished by case" (IAM API reference, CreateRole and CreatePolicy)
				return strings.ToLower(name)
			}
			return name
		}
		for _, name := range all {
			first[fill(name, project, env)] = true
		}
		for _, name := range all {
			if first[fill(name, otherProject, otherEnv)] {
				return true
			}
		}
	}
	return false
}
