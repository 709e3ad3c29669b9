package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// TestExitCode checks which error has which exit code, and which of several decides.
func TestExitCode(t *testing.T) {
	t.Parallel()
	ended := func(phase journal.Phase) error {
		return &rolloutError{rollout.Progress{Phase: phase}, nil, errors.New("it has ended")}
	}
	rejected := fault.Rejected("ImageNotFound", "", errors.New("no image"), "")
	denied := fault.Misconfigured(fault.ErrAccessDenied, "", errors.New("denied"), "")
	outage := fault.Unavailable("Throttling", "", errors.New("slowly"), "")
	open := &notEnded{errors.New("it has not ended in 30m")}
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, 0},
		{"not done", errNotDone, 1},
		{"another error", errors.New("service x is not in prod"), 1},
		{"superseded", ended(journal.Superseded), 1},
		{"usage", wrongUsage("TAG is missing"), 2},
		{"no command", errNoCommand, 2},
		{"rejected by ECR", fmt.Errorf("sending: %w", rejected), 3},
		{"rejected, and said in the result", errRejected, 3},
		{"failed", ended(journal.Failed), 4},
		{"impaired", ended(journal.Impaired), 4},
		{"time is over", fmt.Errorf("following: %w", open), 5},
		{"interrupted", fault.Unavailable("Timeout", "", context.Canceled, ""), 5},
		{"denied", denied, 6},
		{"outage", outage, 6},
		{"other credentials", &ofAWS{errors.New("these credentials belong to another account")}, 6},
		{"one of several failed", errors.Join(open, ended(journal.Failed), denied), 4},
		{"one of several was rejected", errors.Join(denied, rejected), 3},
		{"one of several has not ended", errors.Join(denied, open), 5},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
