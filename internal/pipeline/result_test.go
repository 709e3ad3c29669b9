package pipeline

import (
	"testing"

	"deployer/internal/ecsdeploy"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	deployments := func(statuses ...ecsdeploy.Status) (all []ecsdeploy.Deployment) {
		for _, s := range statuses {
			all = append(all, ecsdeploy.Deployment{Status: s, Reason: "a reason of " + string(s)})
		}
		return all
	}
	for _, tt := range []struct {
		name        string
		deployments []ecsdeploy.Deployment
		status      ecsdeploy.Status
		reason      string
	}{
		{"none", nil, "before", "before"},
		{"one", deployments("unchanged"), "unchanged", "a reason of unchanged"},
		{"one rejected of three", deployments("deployed", "rejected", "ignored"), "rejected", "a reason of rejected"},
		{"deployed and unchanged", deployments("unchanged", "deployed"), "deployed", "before"},
		{"planned and superseded", deployments("superseded", "planned"), "planned", "before"},
		{"unchanged and superseded", deployments("unchanged", "superseded"), "superseded", "before"},
		{"ignored and unchanged", deployments("ignored", "unchanged"), "unchanged", "before"},
	} {
		r := Result{Status: "before", Reason: "before", Deployments: tt.deployments}
		if r.summarize(); r.Status != tt.status || r.Reason != tt.reason {
			t.Errorf("%s: %s, %q; want %s, %q", tt.name, r.Status, r.Reason, tt.status, tt.reason)
		}
	}
}
