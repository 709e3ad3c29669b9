package cli

import (
	"fmt"
	"slices"

	"deployer/internal/ecsdeploy"
	"deployer/internal/fleet"
	"deployer/internal/journal"
)

// What is said of a task's runs: a deployment that succeeded moved what starts the task, and says
// nothing of how it runs.

// runsNotFollowed says why nothing is shown of a task's runs.
const runsNotFollowed = "how runs end is not followed (for first runs: stack parameter FollowFirstRuns)"

// firstRunLines returns what the journals of a task's revisions say of first runs, newest first,
// else that runs are not followed.
func firstRunLines(records []journal.Record) (lines string) {
	own := false
	for _, r := range records {
		own = own || !r.Foreign
		if run := r.FirstRun(); run != "" {
			lines += fmt.Sprintf("revision %d: first run: %s\n", r.Revision, run)
		}
	}
	if lines == "" && own {
		return runsNotFollowed + "\n"
	}
	return lines
}

// statusRunLines is [firstRunLines] for the revisions that tasks run next.
func statusRunLines(services []fleet.Service) (lines string) {
	unknown := false
	for _, s := range services {
		if s.NextRun == "" || s.Running == nil || s.Running.Foreign {
			continue
		}
		if run := s.Running.FirstRun(); run != "" {
			lines += fmt.Sprintf("%s: revision %d: first run: %s\n", s.Name, s.Running.Revision, run)
			continue
		}
		unknown = true
	}
	if unknown {
		lines += "tasks: " + runsNotFollowed + "\n"
	}
	return lines
}

// noteRuns says that the runs of tasks that were moved are not followed.
func (a *app) noteRuns(all []ecsdeploy.Deployment) {
	if slices.ContainsFunc(all, func(d ecsdeploy.Deployment) bool {
		return d.Status == ecsdeploy.Deployed && len(d.Pointers) > 0
	}) {
		a.note("%s", runsNotFollowed)
	}
}
