package pipeline

import (
	"slices"
	"strings"

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
// reason to that of the only deployment, or to those of the rejected ones.
func (r *Result) summarize() {
	for _, status := range precedence {
		i := slices.IndexFunc(r.Deployments, func(d ecsdeploy.Deployment) bool { return d.Status == status })
		if i < 0 {
			continue
		}
		r.Status = status
		switch {
		case len(r.Deployments) == 1:
			r.Reason = r.Deployments[i].Reason
		case status == ecsdeploy.Rejected:
			r.Reason = rejections(r.Deployments)
		}
		return
	}
}

// rejections returns the reasons of the rejected deployments, each with its service if
// there are several.
func rejections(all []ecsdeploy.Deployment) string {
	var reasons, named []string
	for _, d := range all {
		if d.Status == ecsdeploy.Rejected && !d.HeldBack {
			reasons, named = append(reasons, d.Reason), append(named, d.Service+": "+d.Reason)
		}
	}
	if len(reasons) == 1 {
		return reasons[0]
	}
	return strings.Join(named, "; ")
}
