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
	project, env := longest("Project"), longest("Env")
	limits := map[string]int{
		"Name": 64, "RoleName": 64, "FunctionName": 64, "StatementId": 64, "QueueName": 80,
		"AlarmName": 255, "DashboardName": 255, "LogGroupName": 512,
	}
	loaded, err := loadWith(t, prod, map[string]string{"Project": project, "Env": env, "AutoDeploy": "enabled",
		"EcrAccountId": dev, "EcrAccountRegion": region,
		"ForwardPushesTo": "arn:aws:events:us-east-1:222222222222:event-bus/default"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, id := range loaded.Resources("") {
		resource := loaded.Resource(id)
		if member(resource, "Type") == "AWS::Lambda::Permission" {
			continue // it has the function's name
		}
		for property, limit := range limits {
			name, ok := member(resource, "Properties", property).(string)
			if !ok {
				continue
			}
			if len(name) > limit {
				t.Errorf("%s of %s has %d characters, at most %d: %s", property, id, len(name), limit, name)
			}
			if key := fmt.Sprint(member(resource, "Type"), " ", name); seen[key] {
				t.Errorf("%s: there are two of %s", id, key)
			} else {
				seen[key] = true
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d names were found", len(seen))
	}
}
