package deploy_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestNames checks the names of all resources for the longest Project and Env that the
// template accepts: AWS accepts the names, and no two resources of one type share one.
func TestNames(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	longest := func(parameter string) string {
		form := regexp.MustCompile(`(?s)\n  ` + parameter + `:\n.*?MaxLength: (\d+)`)
		n, err := strconv.Atoi(form.FindStringSubmatch(string(source))[1])
		if err != nil {
			t.Fatal(err)
		}
		return strings.Repeat("x", n)
	}
	limits := map[string]int{
		"Name": 64, "RoleName": 64, "FunctionName": 64, "StatementId": 64, "QueueName": 80, "ManagedPolicyName": 128,
		"AlarmName": 255, "DashboardName": 255, "LogGroupName": 512,
	}
	found := map[string]bool{}
	for name, values := range everyResource() {
		values["Project"], values["Env"] = longest("Project"), longest("Env")
		for id, resource := range withNames(t, values) {
			for property, limit := range limits {
				text, ok := member(resource, "Properties", property).(string)
				if ok && len(text) > limit {
					t.Errorf("%s of %s has %d characters, at most %d: %s", property, id, len(text), limit, text)
				}
				if ok {
					found[id] = true
				}
			}
			if t.Failed() {
				t.Logf("with %s", name)
			}
		}
	}
	withName := regexp.MustCompile(`(?m)^  ([A-Za-z0-9]+):\n    Type: AWS::(?:Events::Rule|IAM::|Lambda::Function|` +
		`SQS::Queue\n|Scheduler::)`)
	for _, m := range withName.FindAllStringSubmatch(string(source), -1) {
		if !found[m[1]] {
			t.Errorf("the name of %s is not checked: no stack of the test has it", m[1])
		}
	}
}

// everyResource returns parameters of stacks that together have every resource of the template.
func everyResource() map[string]map[string]string {
	var buses, arns []string
	for i := range 15 {
		buses = append(buses, fmt.Sprintf("arn:aws:events:us-east-1:2222222222%02d:event-bus/default", i))
		arns = append(arns, fmt.Sprintf("arn:aws:ecr:us-east-1:333333333333:repository/r%d", i))
	}
	return map[string]map[string]string{
		"cross account": {"AutoDeploy": "enabled", "EcrAccountId": dev, "EcrAccountRegion": region,
			"ForwardPushesTo": buses[0]},
		"everything": {"AutoDeploy": "enabled", "RedeployOn": "parameters,secrets,env_files", "FollowFirstRuns": "true",
			"ForwardPushesTo": strings.Join(buses, ","), "MoreRoleArns": "arn:aws:iam::333333333333:role/more",
			"ScheduleArns":     "arn:aws:scheduler:us-east-1:333333333333:schedule/g/s",
			"RuleArns":         "arn:aws:events:us-east-1:333333333333:rule/r",
			"ScheduleRoleArns": "arn:aws:iam::333333333333:role/start"},
		"large": {"ResourceArns1": strings.Join(arns[:10], ",,")},
	}
}

// withNames returns the resources of a stack that may have names, by their logical ids. No two
// of one type have the same.
func withNames(t *testing.T, values map[string]string) map[string]any {
	t.Helper()
	loaded, err := loadWith(t, prod, values)
	if err != nil {
		t.Fatal(err)
	}
	all, seen := map[string]any{}, map[string]bool{}
	for _, id := range loaded.Resources("") {
		resource := loaded.Resource(id)
		if member(resource, "Type") == "AWS::Lambda::Permission" {
			continue // it has the function's name
		}
		all[id] = resource
		for _, property := range []string{"Name", "RoleName", "QueueName", "ManagedPolicyName", "AlarmName"} {
			key := fmt.Sprint(member(resource, "Type"), " ", member(resource, "Properties", property))
			if member(resource, "Properties", property) != nil && seen[key] {
				t.Errorf("%s: there are two of %s", id, key)
			}
			seen[key] = true
		}
	}
	return all
}
