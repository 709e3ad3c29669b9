package cli

import (
	"testing"

	"deployer/internal/journal"
)

// TestWhyFailed checks what the history says of a rollout with a problem.
func TestWhyFailed(t *testing.T) {
	t.Parallel()
	const why, stopped = "tasks failed to start.", "CannotPullContainerError: not found"
	for _, tt := range []struct {
		name   string
		record journal.Record
		want   string
	}{
		{"failed", journal.Record{Outcome: journal.Failed, Why: why, Stopped: stopped},
			"tasks failed to start. Stopped tasks: CannotPullContainerError: not found"},
		{"impaired, only the tasks' reasons", journal.Record{Outcome: journal.Impaired, Stopped: stopped}, stopped},
		{"failed, no tasks", journal.Record{Outcome: journal.Failed, Why: why}, why},
		{"it recovered", journal.Record{Outcome: journal.Succeeded, Why: why, Stopped: stopped}, ""},
		{"it was superseded", journal.Record{Outcome: journal.Superseded, Why: why, Stopped: stopped}, ""},
		{"nothing", journal.Record{}, ""},
	} {
		if got := whyFailed(tt.record); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
