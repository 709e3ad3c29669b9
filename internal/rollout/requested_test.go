package rollout

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
	"deployer/internal/outcome"
)

// TestRequestedRollback handles the events of a rollback whose reasons are those of any
// rollout, in every order and state. AWS does not document the reasons of a rollback that a
// person requested with StopServiceDeployment: the status of the service deployment says
// what it is.
func TestRequestedRollback(t *testing.T) {
	t.Parallel()
	const (
		deployment = "arn:aws:ecs:us-east-1:333333333333:service-deployment/myproject_cluster_prod/" +
			"myproject_service_prod/NCWGC2ZR"
		target = "arn:aws:ecs:us-east-1:333333333333:service-revision/myproject_cluster_prod/" +
			"myproject_service_prod/2222222222222222222"
	)
	starts, ends := backStarts, fails
	starts.Reason, ends.Reason = "ECS deployment "+backID+" in progress.", "ECS deployment "+failedID+" was stopped."
	want := []string{"Deployment Failed of 12: " + ends.Reason + " Back to 11"}
	for _, status := range []string{"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"} {
		for _, previous := range []string{"ours", "external"} {
			t.Run(status+", "+previous, func(t *testing.T) {
				t.Parallel()
				try := func(order []event.Rollout, states ...string) {
					a := &publishedAccount{t: t,
						tags: map[string]map[string]string{"11": maps.Clone(previousRevisions[previous]),
							"12": journalOf(12, 11, "deployer:deployment", failedID)},
						list: fmt.Sprintf(`{"serviceDeployments":[{"serviceDeploymentArn":%q,"status":%q,`+
							`"targetServiceRevisionArn":%q,"createdAt":1795687200}]}`, deployment, status, target),
						describe: fmt.Sprintf(`{"serviceDeployments":[{"serviceDeploymentArn":%q,"status":%q,`+
							`"targetServiceRevision":{"arn":%q},"createdAt":1795687200}]}`, deployment, status, target),
					}
					var reports []outcome.Outcome
					for i, e := range order {
						more, _ := a.handle(e, states[i])
						reports = append(reports, more...)
					}
					if diff := cmp.Diff(want, summary(reports)); diff != "" {
						t.Errorf("%v in %v: %s", order, states, diff)
					}
				}
				for _, order := range orders([]event.Rollout{starts, backEnds, ends}) {
					for _, a := range rollbackStates {
						for _, b := range rollbackStates {
							try(order, a, b, b)
							try(order, a, a, b)
						}
					}
				}
			})
		}
	}
}
