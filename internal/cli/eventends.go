package cli

import (
	"deployer/internal/journal"
	"deployer/internal/logs"
	"deployer/internal/outcome"
)

// unknownEnd is the rollout of a deployed event of whose outcome the function's log has nothing.
const unknownEnd = "not known"

// eventService is one service, or task, of an event.
type eventService struct{ event, service string }

// rolloutEnds are the phases of the rollouts that the function reported, in the log's lines of a listing.
type rolloutEnds map[eventService]journal.Phase

// phasesOf are the phases of a rollout by the outcome that the function publishes.
var phasesOf = map[string]journal.Phase{
	string(outcome.DeploymentStarted): journal.RollingOut, string(outcome.DeploymentPaused): "paused",
	string(outcome.DeploymentImpaired): journal.Impaired, string(outcome.DeploymentSucceeded): journal.Succeeded,
	string(outcome.DeploymentFailed): journal.Failed, string(outcome.DeploymentSuperseded): journal.Superseded,
}

// endsOf returns the phases in lines of the log, the newest first. An end counts more than what the log has as newer:
// the function's invocations write at the same time.
func endsOf(newestFirst []logs.Entry) rolloutEnds {
	ends := rolloutEnds{}
	for _, e := range newestFirst {
		phase, ok := phasesOf[e.Outcome]
		key := eventService{e.EventID, e.Service}
		if before, known := ends[key]; ok && (!known || phase.IsEnd() && !before.IsEnd()) {
			ends[key] = phase
		}
	}
	return ends
}

// of returns how the rollout of a deployed event ended, or its phase; "" of another decision, which has none.
func (r rolloutEnds) of(e logs.Entry) string {
	if e.Decision() != started {
		return ""
	}
	if phase, ok := r[eventService{e.EventID, e.Service}]; ok {
		return string(phase)
	}
	return unknownEnd
}

// cell returns the rollout of a decision as tables show it.
func (r rolloutEnds) cell(e logs.Entry) cell {
	end := r.of(e)
	return cell{end, phaseColors[journal.Phase(end)]}
}

// listedEvent is a decision as events prints it with --json.
type listedEvent struct {
	logs.Entry
	Rollout string `json:"rollout,omitempty"` // of a deployed event
}

// listed returns decisions with the phases of their rollouts.
func (r rolloutEnds) listed(entries []logs.Entry) []listedEvent {
	all := make([]listedEvent, len(entries))
	for i, e := range entries {
		all[i] = listedEvent{e, r.of(e)}
	}
	return all
}
