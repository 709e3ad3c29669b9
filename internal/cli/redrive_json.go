package cli

import (
	"slices"
	"strings"

	"deployer/internal/ecsdeploy"
	"deployer/internal/fleet"
	"deployer/internal/redrive"
)

// redriven is what redrive prints with --json.
type redriven struct {
	Environment string            `json:"environment"`
	Status      string            `json:"status"` // "done" if no message stays in its queue, else "kept"
	DryRun      bool              `json:"dry_run"`
	Done        int               `json:"done"` // messages that were carried out or discarded, or would be
	Kept        int               `json:"kept"`
	Messages    []redrivenMessage `json:"messages"`
	Missing     []string          `json:"missing,omitempty"` // ids of --discard that are in no queue
	Error       *fleet.Error      `json:"error,omitempty"`   // what ended the work before its end
}

// redrivenMessage is what became of one message.
type redrivenMessage struct {
	Queue string `json:"queue"` // its URL
	redrive.Item
	// Status is "kept", "discarded", "handled" (the event asked for no deployment), or that of
	// the event's result.
	Status string `json:"status"`
	Reason string `json:"reason"`
	Never  bool   `json:"can_never_succeed"`
}

// redrivenOf returns the result of a message as plain data.
func redrivenOf(queue string, m redrive.Report, discarded bool) redrivenMessage {
	one := redrivenMessage{Queue: queue, Item: m.Item, Status: string(m.Result.Status), Reason: reasonOf(m),
		Never: m.Never()}
	switch {
	case m.Err != nil:
		one.Status, one.Reason = "kept", m.Err.Error()
	case discarded:
		one.Status, one.Reason = "discarded", "its event was not run"
	case m.Handled:
		one.Status = "handled"
	case m.Result.Status == ecsdeploy.Planned: // of a dry run, as verdict
		one.Status = string(ecsdeploy.Deployed)
	}
	return one
}

// reasonOf returns the reason of an event's result, and what becomes of each of its workloads if
// that differs. Those that were skipped are left out.
func reasonOf(m redrive.Report) string {
	var each []string
	differ := false
	for _, d := range m.Result.Deployments {
		if d.Status == ecsdeploy.Ignored && d.Status != m.Result.Status {
			continue
		}
		status := d.Status
		if status == ecsdeploy.Planned {
			status = ecsdeploy.Deployed
		}
		each, differ = append(each, d.Service+" "+string(status)), differ || d.Status != m.Result.Status
	}
	if !differ {
		return m.Result.Reason
	}
	return m.Result.Reason + " (" + strings.Join(each, ", ") + ")"
}

// document returns what became of all messages; failed is the error that ended the work before
// its end, nil for none.
func (r *redriveReport) document(failed error) redriven {
	d := redriven{Environment: r.environment, Status: "done", DryRun: r.dryRun, Done: r.done, Kept: r.kept,
		Messages: r.messages, Missing: slices.Clone(r.discards)}
	if d.Messages == nil {
		d.Messages = []redrivenMessage{}
	}
	if failed != nil {
		d.Error = errorOf(failed)
	}
	if failed != nil || r.kept > 0 || len(r.discards) > 0 {
		d.Status = "kept"
	}
	return d
}
