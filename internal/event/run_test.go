package event

import (
	"os"
	"strings"
	"testing"
)

// TestRun reads events of ECS about tasks that ended.
func TestRun(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../events/ecs-task-stopped.json")
	if err != nil {
		t.Fatal(err)
	}
	const accepted = "a run of task:nightly-report ended"
	for _, tt := range []struct {
		name, old, new string
		verdict        Verdict
		reason         string
	}{
		{"by its schedule", "", "", Ran, accepted},
		{"by a rule", "chronos-schedule/", "events-rule/", Ran, accepted},
		{"by a person", "chronos-schedule/", "me/", Ignored,
			`the task was started by "me/myproject-scheduler", not by a schedule or a rule`},
		{"by this command line", "chronos-schedule/myproject-scheduler", "deployer/run", Ignored,
			`the task was started by "deployer/run", not by a schedule or a rule`},
		{"still running", `"lastStatus": "STOPPED",` + "\n    \"overrides\"",
			`"lastStatus": "RUNNING",` + "\n    \"overrides\"", Ignored, `the task is "RUNNING", and has not stopped`},
		{"another cluster", "cluster/myproject_cluster_prod", "cluster/other", Ignored,
			`the cluster "arn:aws:ecs:us-east-1:333333333333:cluster/other" is not myproject_cluster_prod of prod`},
		{"another family", "task-definition/nightly-report:2", "task-definition/other:2", Ignored,
			`the family "other" is not that of a task of prod`},
		{"a service's family", "task-definition/nightly-report:2", "task-definition/myproject_service_prod:2", Ignored,
			`the family "myproject_service_prod" is not that of a task of prod`},
		{"no revision", "task-definition/nightly-report:2", "task-definition/nightly-report", Ignored,
			`the ECS task event is not as AWS documents it: it has no "taskArn" or "taskDefinitionArn"`},
		{"an odd exit code", `"exitCode": 1`, `"exitCode": "one"`, Ignored,
			`the ECS task event is not as AWS documents it: "detail" is not its JSON`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.ReplaceAll(string(raw), tt.old, tt.new)
			if tt.old != "" && text == string(raw) {
				t.Fatal("nothing was replaced")
			}
			got := Read([]byte(text), load(t, "prod"), now)
			if got.Verdict != tt.verdict || got.Reason != tt.reason {
				t.Errorf("%s: %s\nwant %s: %s", got.Verdict, got.Reason, tt.verdict, tt.reason)
			}
			if got.Verdict == Ran && (*got.Run.Containers[0].ExitCode != 1 ||
				got.Run.StopCode != "EssentialContainerExited" ||
				!strings.HasSuffix(got.Run.TaskDefinition, "/nightly-report:2")) {
				t.Errorf("%+v", got.Run)
			}
		})
	}
}
