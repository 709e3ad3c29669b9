package ecsdeploy

import (
	"fmt"
	"strings"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
)

// rollbackTargets are the revisions that a person can roll back to by their number where
// none is known to have succeeded. The zero value has none.
type rollbackTargets struct {
	undone  int // what ran before a rollback; 0 if no rollback runs, or that failed
	unknown int // the newest revision of which no outcome is known; 0 if there is none
}

// add considers a revision of the family below the one that runs. Below is the number below
// which a rollback searches.
func (f *rollbackTargets) add(runs, r journal.Record, below int) {
	another := r.Digest != runs.Digest || r.Digest == "" && r.Image != runs.Image
	if !another || r.Other || r.Tag == "" && r.Digest == "" {
		return
	}
	if runs.Restores != "" && r.TaskDefinition == runs.Previous && r.Outcome != journal.Failed {
		f.undone = r.Revision
	}
	if r.Revision < below && r.Outcome == "" && r.Revision > f.unknown {
		f.unknown = r.Revision
	}
}

// advice returns how to roll back to the revisions; "" if there are none.
func (f *rollbackTargets) advice(t ecsservice.Target) string {
	var all []string
	if f.undone > 0 {
		all = append(all, fmt.Sprintf("to undo the rollback: %s --to %d", t.Command("rollback"), f.undone))
	}
	if f.unknown > 0 {
		all = append(all, fmt.Sprintf("to roll back to revision %d, whose outcome is not known: "+
			"%s --to %[1]d", f.unknown, t.Command("rollback")))
	}
	return strings.Join(all, "; ")
}
