package cli

import (
	"testing"

	"deployer/internal/journal"
)

// TestProblemsOf checks what the history says of rollouts with a problem.
func TestProblemsOf(t *testing.T) {
	t.Parallel()
	const why, stopped = "tasks failed to start.", "CannotPullContainerError: not found"
	for _, tt := range []struct {
		name    string
		records []journal.Record
		want    string
	}{
		{"failed", []journal.Record{{Outcome: journal.Failed, Why: why, Stopped: stopped}},
			"revision 0: tasks failed to start.\nrevision 0: stopped tasks: CannotPullContainerError: not found\n"},
		{"impaired, only the tasks' reasons",
			[]journal.Record{{Revision: 7, Outcome: journal.Impaired, Stopped: stopped}},
			"revision 7: stopped tasks: CannotPullContainerError: not found\n"},
		{"failed, no tasks", []journal.Record{{Outcome: journal.Failed, Why: why}},
			"revision 0: tasks failed to start.\n"},
		{"it recovered", []journal.Record{{Outcome: journal.Succeeded, Why: why, Stopped: stopped}}, ""},
		{"it was superseded", []journal.Record{{Outcome: journal.Superseded, Why: why, Stopped: stopped}}, ""},
		{"nothing", []journal.Record{{}}, ""},
		{"several for the same reason", []journal.Record{{Revision: 5, Outcome: journal.Failed, Why: why},
			{Revision: 4, Outcome: journal.Failed, Why: "other"}, {Revision: 2, Outcome: journal.Failed, Why: why}},
			"revisions 5, 2: tasks failed to start.\nrevision 4: other\n"},
	} {
		if got := problemsOf(tt.records); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
