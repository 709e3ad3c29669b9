package environment

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMistypedKeys checks what is an error and what a warning of keys at the top of a file that are nearly those of the
// deployer. The infrastructure's own keys are neither.
func TestMistypedKeys(t *testing.T) {
	t.Parallel()
	const unread = " is not a key the deployer reads"
	lost := func(key, meant string) string {
		return "x.yaml:5:1: `" + key + "`" + unread + ", and there is no `" + meant + "`: what it lists would " +
			"never be deployed (did you mean `" + meant + "`?)"
	}
	near := func(key, meant string) string {
		return "x.yaml:5:1: warning: `" + key + "`" + unread + " (did you mean `" + meant + "`?)"
	}
	below := func(key, meant string) string {
		return "x.yaml:5:1: warning: `" + key + "` has no effect here (did you mean `deployer." + meant + "`?)"
	}
	for _, tt := range []struct {
		text  string
		error bool
		want  string
	}{
		{"service: [{name: web}]", true, lost("service", "services")},
		{"sevices: [{name: web}]", true, lost("sevices", "services")},
		{"Services: [{cpu: 256, name: web}]", true, lost("Services", "services")},
		{"servcies: &a [{name: web}]\nservices:", true, lost("servcies", "services")},
		{"scheduledTasks: [{name: nightly}]", true, lost("scheduledTasks", "scheduled_tasks")},
		{"event-processor-tasks: [{name: resize}]", true, lost("event-processor-tasks", "event_processor_tasks")},
		{"service: [{name: web}]\nservices: [{name: api}]", false, near("service", "services")},
		{"service: {name: web}", false, near("service", "services")},
		{"service: [web]", false, near("service", "services")},
		{"service: backend", false, near("service", "services")},
		{"sevices: []", false, near("sevices", "services")},
		{"worklod: {backend_auto_deploy: false}", false, near("worklod", "workload")},
		{"ecrAccountId: \"111111111111\"", false, near("ecrAccountId", "ecr_account_id")},
		{"Cluster: main", false, below("Cluster", "cluster")},
		{"cluser: main", false, below("cluser", "cluster")},
		{"autoDeploy: [latest]", false, below("autoDeploy", "auto_deploy")},
		{"cluster: main", false, "x.yaml:5:1: warning: `cluster` has no effect here (write it below `deployer`)"},
		{"clusters: {main: {}}\nimages: [web]\nImage: nginx\nvpc: {}\npostgres: {}", false, ""},
	} {
		env, err := Parse("x.yaml", []byte(head+tt.text+"\n"))
		var faults Faults
		if isFault := errors.As(err, &faults); isFault != tt.error {
			t.Errorf("%s: %v", tt.text, err)
		}
		if err == nil {
			faults = env.Warnings
		}
		got := ""
		if len(faults) > 0 {
			got = faults.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.text, diff)
		}
	}
}
