package pipeline

import (
	"slices"

	"deployer/internal/ecsdeploy"
)

// Result is what became of one event: the Lambda's answer, and what the CLI
// prints with -json.
type Result struct {
	EventID     string                 `json:"event_id"`
	Status      ecsdeploy.Status       `json:"status"`
	Reason      string                 `json:"reason"`
	Deployments []ecsdeploy.Deployment `json:"deployments"` // one a workload; empty if none was asked for
}

// precedence orders the statuses of one event's deployments by how much a
// person must hear of them; the first that occurs is the event's.
var precedence = []ecsdeploy.Status{
	ecsdeploy.Rejected, ecsdeploy.Deployed, ecsdeploy.Planned, ecsdeploy.Superseded, ecsdeploy.Unchanged, ecsdeploy.Ignored,
}

// summarize settles the event's status from its deployments'.
func (r *Result) summarize() {
	for _, status := range precedence {
		i := slices.IndexFunc(r.Deployments, func(d ecsdeploy.Deployment) bool { return d.Status == status })
		if i < 0 {
			continue
		}
		if r.Status = status; len(r.Deployments) == 1 || status == ecsdeploy.Rejected {
			r.Reason = r.Deployments[i].Reason
		}
		return
	}
}
