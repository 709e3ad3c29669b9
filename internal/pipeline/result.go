package pipeline

import (
	"slices"

	"deployer/internal/ecsdeploy"
)

// Result is the result of one event: the Lambda function's answer, and what
// commands print as JSON.
type Result struct {
	EventID     string                 `json:"event_id"`
	Status      ecsdeploy.Status       `json:"status"`
	Reason      string                 `json:"reason"`
	Deployments []ecsdeploy.Deployment `json:"deployments"` // one for each request; never null
}

// precedence orders the statuses of deployments: the first that occurs is the
// status of the event.
var precedence = []ecsdeploy.Status{
	ecsdeploy.Rejected, ecsdeploy.Deployed, ecsdeploy.Planned, ecsdeploy.Waiting,
	ecsdeploy.Superseded, ecsdeploy.Unchanged, ecsdeploy.Ignored,
}

// summarize sets the event's status from those of its deployments. It sets the
// reason to that of the only deployment, or of the first rejected one.
func (r *Result) summarize() {
	for _, status := range precedence {
		i := slices.IndexFunc(r.Deployments, func(d ecsdeploy.Deployment) bool { return d.Status == status })
		if i < 0 {
			continue
		}
		r.Status = status
		if len(r.Deployments) == 1 || status == ecsdeploy.Rejected {
			r.Reason = r.Deployments[i].Reason
		}
		return
	}
}
