package rollout

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// A handling is what handling an event led to.
type handling struct {
	reports []outcome.Outcome
	reason  string
	tags    map[string]map[string]string // of the account's revisions afterwards
	memory  journal.Steps                // of the handler afterwards
}

// handle handles an event in a state of the service, and journals its reports. If what
// that leads to is known, because the same event was handled before in the same state,
// with the same tags and the same memory, it is not done again.
func (a *publishedAccount) handle(e event.Rollout, state string) (reports []outcome.Outcome, reason string) {
	a.t.Helper()
	h := a.handler
	if h == nil {
		h = NewHandler(a.client())
	}
	same := fmt.Sprint(state, e.Step, e.DeploymentID, e.Reason, e.Hook, a.tags, h.memory.all())
	if k, ok := a.known[same]; ok {
		a.tags, h.memory.steps = cloneTags(k.tags), k.memory
		return k.reports, k.reason
	}
	a.answer = state
	all, reason, err := h.Handle(a.t.Context(), publishedEnvironment, a.rollout(e), afterPublished)
	must(a.t, err)
	for _, r := range all {
		must(a.t, h.Journal(a.t.Context(), r))
		reports = append(reports, r.Outcome)
	}
	if a.known != nil {
		a.known[same] = handling{reports, reason, cloneTags(a.tags), h.memory.all()}
	}
	return reports, reason
}

// publishedEnvironment is the environment of publishedTarget.
var publishedEnvironment = &environment.Environment{File: "prod.yaml", Name: "prod", Project: "myproject",
	Region: "us-east-1", AccountID: "333333333333", Cluster: "myproject_cluster_prod"}

// rollout returns an event of the account's service.
func (a *publishedAccount) rollout(e event.Rollout) event.Rollout {
	e.Workload = environment.Workload{Kind: environment.Service, Name: "backend", Container: "app",
		Family: publishedTarget.Family, Pointer: environment.ECSService(publishedTarget.Service)}
	return e
}

// publishedState returns the state whose name begins with a number.
func publishedState(t *testing.T, number string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("testdata", number+"-*.json"))
	must(t, err)
	return strings.TrimSuffix(filepath.Base(all[0]), ".json")
}

// revisionAnswer returns the answer of DescribeServiceRevisions for a rollout of a revision.
func revisionAnswer(id string, number int) string {
	return fmt.Sprintf(`{"serviceRevisions":[{"serviceRevisionArn":"arn:aws:ecs:us-east-1:333333333333:`+
		`service-revision/myproject_cluster_prod/myproject_service_prod/%s","taskDefinition":"%s%d"}],"failures":[]}`,
		strings.TrimPrefix(id, "ecs-svc/"), publishedFamily, number)
}

// cloneTags returns a copy of the tags of revisions.
func cloneTags(tags map[string]map[string]string) map[string]map[string]string {
	all := map[string]map[string]string{}
	for number, of := range tags {
		all[number] = maps.Clone(of)
	}
	return all
}

// summary returns what reports say, one line each.
func summary(reports []outcome.Outcome) (lines []string) {
	for _, o := range reports {
		line := fmt.Sprintf("%s of %s: %s", o.Kind, strings.TrimPrefix(o.Revision.After, publishedFamily), o.Why())
		if o.RolledBackTo.Revision != "" {
			line += " Back to " + strings.TrimPrefix(o.RolledBackTo.Revision, publishedFamily)
		}
		if o.Foreign {
			line += " (external)"
		}
		lines = append(lines, line)
	}
	return lines
}

// orders returns every order of some events.
func orders(all []event.Rollout) (found [][]event.Rollout) {
	if len(all) <= 1 {
		return [][]event.Rollout{all}
	}
	for i := range all {
		if slices.Contains(all[:i], all[i]) {
			continue
		}
		rest := slices.Delete(slices.Clone(all), i, i+1)
		for _, order := range orders(rest) {
			found = append(found, append([]event.Rollout{all[i]}, order...))
		}
	}
	return found
}
