package cli

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// called are the IAM actions that the commands' calls of AWS needed, by command.
var called = struct {
	sync.Mutex
	actions map[string][]string
}{actions: map[string][]string{}}

var (
	commandInAgent = regexp.MustCompile(`app/([a-z]+)`)
	serviceInScope = regexp.MustCompile(`Credential=[^/]*/[0-9]*/[^/]*/([a-z]+)/aws4_request`)
)

// checkPermissions passes requests on to AWS, and notes which command made
// which call. The command is in the user agent, where main puts it.
func checkPermissions(aws http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		command := commandInAgent.FindStringSubmatch(r.UserAgent())
		service := serviceInScope.FindStringSubmatch(r.Header.Get("Authorization"))
		if command != nil && service != nil {
			noteCall(command[1], service[1], operation(r))
		}
		aws.ServeHTTP(w, r)
	})
}

// operation returns the operation that a request calls, and leaves its body
// for the next reader.
func operation(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:]
	}
	if strings.HasPrefix(r.URL.Path, "/schedules/") { // so does Scheduler's, and the method
		return map[string]string{http.MethodGet: "GetSchedule", http.MethodPut: "UpdateSchedule"}[r.Method]
	}
	if strings.HasSuffix(r.URL.Path, "/configuration") { // Lambda's protocol names the operation by the path
		return "GetFunctionConfiguration"
	}
	if strings.Contains(r.URL.Path, "/functions/") {
		return "GetFunction"
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	return form.Get("Action")
}

func noteCall(command, service, operation string) {
	if operation == "GetCallerIdentity" {
		return // needs no permission
	}
	actions := []string{service + ":" + operation}
	if operation == "ListImageReferrers" {
		actions = []string{"ecr:BatchGetImage"} // ECR asks for this permission
	}
	if operation == "RegisterTaskDefinition" || operation == "RunTask" {
		actions = append(actions, "ecs:TagResource", "iam:PassRole") // for the tags and the roles in the request
	}
	called.Lock()
	defer called.Unlock()
	for _, action := range actions {
		if !slices.Contains(called.actions[command], action) {
			called.actions[command] = append(called.actions[command], action)
		}
	}
}

// shared are the actions that several commands call by the same code: that of
// --follow, and that of reading a service deployment. Whether a command calls them
// depends on how far the rollout is when it looks, so it is enough that one does.
var shared = []string{
	"ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments", "ecs:ListTasks", "ecs:DescribeTasks",
	"ecs:DescribeServiceRevisions", "ecs:DescribeTaskDefinition", "scheduler:GetSchedule", "scheduler:UpdateSchedule",
	"events:ListTargetsByRule", "events:PutTargets", "logs:GetLogEvents", "iam:SimulatePrincipalPolicy",
}

// wrongPermissions compares the permissions in the commands' help with what the
// tests called: nothing may be missing, and after all tests nothing unused.
func wrongPermissions() (wrong []string) {
	called.Lock()
	defer called.Unlock()
	allTests := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.bench").Value.String() == ""
	for _, cmd := range (&app{}).root().Commands() {
		var listed []string
		for _, line := range permissionsOf(cmd) {
			action, _, _ := strings.Cut(line, " ")
			listed = append(listed, action)
		}
		for _, action := range called.actions[cmd.Name()] {
			if !slices.Contains(listed, action) {
				wrong = append(wrong, fmt.Sprintf("%s: %s is missing", cmd.Name(), action))
			}
		}
		for _, action := range listed {
			used := slices.Contains(called.actions[cmd.Name()], action)
			for _, actions := range called.actions {
				used = used || (slices.Contains(shared, action) || cmd.Name() == "dashboard") &&
					slices.Contains(actions, action) // the dashboard does what three others do
			}
			if allTests && !used {
				wrong = append(wrong, fmt.Sprintf("%s: %s is never called", cmd.Name(), action))
			}
		}
	}
	return wrong
}
