package cli

import (
	"errors"

	"deployer/internal/ecsdeploy"
	"deployer/internal/failure"
	"deployer/internal/fleet"
	"deployer/internal/journal"
	"deployer/internal/pipeline"
)

// ended is a result whose rollouts were followed, as --json prints it: its status is the
// end of the rollouts, of several the worst.
type ended struct {
	pipeline.Result
	Status   string       `json:"status"`
	Reason   string       `json:"reason"`
	Rollouts []rolloutEnd `json:"rollouts"`
}

// rolloutEnd is how one rollout ended.
type rolloutEnd struct {
	Service        string `json:"service"`
	TaskDefinition string `json:"task_definition"`
	// Status is a phase of the rollout, "not ended", "unchanged", or of an event that deployed
	// nothing "rejected", "ignored" or "superseded".
	Status string       `json:"status"`
	Error  *fleet.Error `json:"error,omitempty"`

	Failure *failure.Report `json:"failure,omitempty"` // what a failed rollout left behind
}

// unfinished is the status of a rollout that was not followed to its end.
const unfinished = "not ended"

// severity orders the ends of rollouts, the worst first.
var severity = []string{string(journal.Failed), string(journal.Impaired), string(ecsdeploy.Rejected), unfinished,
	string(ecsdeploy.Ignored), string(journal.Superseded), string(journal.Succeeded), unchanged}

// endOf returns the result with the ends of its rollouts.
func endOf(result pipeline.Result, rollouts []followed, errs []error) ended {
	e := ended{Result: result, Rollouts: make([]rolloutEnd, len(rollouts))}
	for i, one := range rollouts {
		e.Rollouts[i] = rolloutEndOf(one, errs[i])
	}
	e.Status, e.Reason = worstOf(e.Rollouts, result.Reason)
	return e
}

// worstOf returns the worst status of rollouts, and why it is so; reason if no error says it.
func worstOf(rollouts []rolloutEnd, reason string) (status, why string) {
	for _, status := range severity {
		for _, one := range rollouts {
			if one.Status == status && one.Error != nil {
				return status, one.Error.Message
			}
			if one.Status == status {
				return status, reason
			}
		}
	}
	return "", reason
}

// rolloutEndOf returns how a rollout ended, of which err is what following it returned.
func rolloutEndOf(one followed, err error) rolloutEnd {
	end := rolloutEnd{Service: one.target.Workload, TaskDefinition: one.revision, Status: string(journal.Succeeded)}
	var failed *rolloutError
	var decision *decided
	switch {
	case err == nil:
		return end
	case errors.As(err, &decision) && decision.final() != "":
		end.Status = decision.final()
	case errors.As(err, &failed):
		end.Status, end.Failure = string(failed.end.Phase), failed.left
	default:
		end.Status = unfinished
	}
	end.Error = errorOf(err)
	return end
}
