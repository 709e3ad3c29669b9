package pipeline

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
)

// TestEventChangesOnlyTheImage sends an event that also names a command, variables, roles, a number of tasks, a cluster
// or an image of another registry, as ECS's API names them and otherwise: the event is rejected, or it registers the
// same revision as without that member, and the update of the service names the revision and nothing else.
func TestEventChangesOnlyTheImage(t *testing.T) {
	t.Parallel()
	members := map[string]string{
		"command": `["sh","-c","id"]`, "entryPoint": `["sh"]`, "environment": `[{"name":"A","value":"1"}]`,
		"secrets":     `[{"name":"A","valueFrom":"arn:aws:ssm:us-east-1:111111111111:parameter/a"}]`,
		"taskRoleArn": `"arn:aws:iam::111111111111:role/Admin"`, "task_role": `"Admin"`,
		"executionRoleArn": `"arn:aws:iam::111111111111:role/Admin"`, "desiredCount": `50`, "desired_count": `0`,
		"count": `9`, "cluster": `"other"`, "containerDefinitions": `[{"name":"x","image":"evil"}]`,
		"overrides": `{"containerOverrides":[{"name":"x","command":["id"]}]}`, "taskDefinition": `"other:1"`,
		"image": `"evil.example/x:v2"`, "repository": `"other"`, "registry": `"444444444444"`, "account_id": `"4"`,
		"networkConfiguration": `{}`, "enableExecuteCommand": `true`, "forceNewDeployment": `true`,
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "dev")
			_, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "two", "v2")
			if err != nil {
				t.Fatal(err)
			}
			f.aws.ResetCalls()
			got, err := f.function().Handle(t.Context(), deployEvent("e1", f.clock.Now(), "dev",
				`{"service":"backend","tag":"v2",`+`"`+name+`":`+members[name]+`}`))
			if err != nil {
				t.Fatal(err)
			}
			var changes []map[string]any
			for _, c := range f.aws.Calls() {
				var in map[string]json.RawMessage
				if err := json.Unmarshal(c.Body, &in); err != nil {
					continue
				}
				switch c.Operation {
				case "UpdateService":
					if keys := slices.Sorted(maps.Keys(in)); !slices.Equal(keys, []string{"cluster", "service",
						"taskDefinition"}) {
						t.Errorf("UpdateService has %v", keys)
					}
				case "RegisterTaskDefinition":
					changes = append(changes, registration(t, c.Body))
				case "RunTask", "CreateService", "StopTask":
					t.Errorf("it called %s", c.Operation)
				}
			}
			if got.Status == ecsdeploy.Rejected && len(changes) == 0 {
				return
			}
			if got.Status != ecsdeploy.Deployed || len(changes) != 1 {
				t.Fatalf("%s %s, %d revisions", got.Status, got.Reason, len(changes))
			}
			if diff := cmp.Diff(plainRegistration(t), changes[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// registration returns what a call registers, but the journal.
func registration(t *testing.T, body []byte) (in map[string]any) {
	t.Helper()
	if err := json.Unmarshal(body, &in); err != nil {
		t.Fatal(err)
	}
	delete(in, "tags")
	return in
}

// plainRegistration returns what an event without further members registers.
func plainRegistration(t *testing.T) map[string]any {
	t.Helper()
	f := newFixture(t, "dev")
	if _, err := f.accounts["dev"].Push(t.Context(), "myproject_backend", "two", "v2"); err != nil {
		t.Fatal(err)
	}
	f.aws.ResetCalls()
	if _, err := f.function().Handle(t.Context(), deployEvent("e1", f.clock.Now(), "dev",
		`{"service":"backend","tag":"v2"}`)); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.aws.Calls() {
		if c.Operation == "RegisterTaskDefinition" {
			return registration(t, c.Body)
		}
	}
	t.Fatal("nothing was registered")
	return nil
}
