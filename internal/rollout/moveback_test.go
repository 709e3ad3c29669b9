package rollout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
)

// TestExternalMoveFails handles the events of an external move that failed, and that ECS rolled back, in every order
// and every state: a move back to an older revision, and a forced new deployment of the revision that runs. It is
// reported as failed, with what ECS rolled back to, and never as superseded. What may be read of ECS's service
// deployments differs.
func TestExternalMoveFails(t *testing.T) {
	t.Parallel()
	ended := func(number int, id string) map[string]string {
		return journalOf(number, number-1, "deployer:deployment", id, "deployer:outcome", "succeeded")
	}
	for _, tt := range []struct {
		name             string
		previous, failed int // as "previous ran, and a person moved the service to failed"
		tags             map[string]map[string]string
	}{
		{"back, ours", 12, 11, map[string]map[string]string{"12": ended(12, firstID), "11": ended(11, "ecs-svc/11")}},
		{"back, external", 12, 11, map[string]map[string]string{"12": {}, "11": {}}},
		{"back, from external", 12, 11, map[string]map[string]string{"12": {}, "11": ended(11, "ecs-svc/11")}},
		{"the same revision, ours", 12, 12, map[string]map[string]string{"12": ended(12, firstID)}},
		{"the same revision, external", 12, 12, map[string]map[string]string{"12": {}}},
	} {
		for _, may := range []string{"everything", "list", "nothing"} {
			t.Run(tt.name+", may read "+may, func(t *testing.T) {
				t.Parallel()
				externalMoveFails(t, tt.previous, tt.failed, tt.tags, may)
			})
		}
	}
}

// externalMoveFails is [TestExternalMoveFails] for two revisions with tags.
func externalMoveFails(t *testing.T, previous, failed int, tags map[string]map[string]string, may string) {
	t.Helper()
	number := strings.NewReplacer(":11\"", fmt.Sprintf(":%d\"", previous), ":12\"", fmt.Sprintf(":%d\"", failed))
	want := fmt.Sprintf("Deployment Failed of %d: %s Back to %d (external)", failed, breakerText, previous)
	known := map[string]handling{} // many of the sequences begin like another one
	for _, order := range orders([]event.Rollout{backStarts, backEnds, fails}) {
		for i := range 27 {
			if may == "list" && i%2 > 0 { // it is between the other two
				continue
			}
			a := &publishedAccount{t: t, change: number, tags: cloneTags(tags), known: known}
			a.handler = NewHandler(a.client())
			a.list, a.describe = deploymentAnswers(failedID, types.ServiceDeploymentStatusRollbackSuccessful, "", "why")
			switch may {
			case "list":
				a.describe = ""
			case "nothing":
				a.list, a.describe = "", ""
			}
			var got, steps []string
			for j, e := range order {
				state := rollbackStates[[]int{i % 3, i / 3 % 3, i / 9}[j]]
				steps = append(steps, strings.TrimPrefix(string(e.Step), "SERVICE_DEPLOYMENT_")+" in "+state)
				reports, _ := a.handle(e, state)
				got = append(got, summary(reports)...)
			}
			if may != "everything" { // then a rollback that has ended looks like a move
				got = withoutLine(got, "Deployment Succeeded of 12: ")
			}
			if diff := cmp.Diff([]string{want}, got); diff != "" {
				t.Errorf("%s: %s", strings.Join(steps, ", "), diff)
			}
		}
	}
}

// withoutLine returns the lines that do not begin with a prefix.
func withoutLine(lines []string, prefix string) (kept []string) {
	for _, line := range lines {
		if !strings.HasPrefix(line, prefix) {
			kept = append(kept, line)
		}
	}
	return kept
}
