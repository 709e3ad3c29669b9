package cli

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/redrive"
)

// TestRedriveReport checks what is printed of messages that end otherwise than carried out, and of those to delete.
func TestRedriveReport(t *testing.T) {
	t.Parallel()
	const failed = "event e ignored: the rollout of this event failed before"
	message := func(id, err string, ended bool) redrive.Report {
		r := redrive.Report{Item: redrive.Item{MessageID: id}, Ended: ended}
		if err != "" {
			r.Err = errors.New(err)
		}
		return r
	}
	for _, tt := range []struct {
		name     string
		dryRun   bool
		discards []string
		reports  []redrive.Report
		out, err string
		fails    bool
	}{
		{"a failed rollout", false, nil, []redrive.Report{message("m1", failed, true)},
			"m1: kept: " + failed + "\n" +
				"m1: to delete the message: deployer redrive -f 'my prod.yaml' --queue q --delete m1\n",
			"deployer: 0 messages done, 1 kept\n", true},
		{"an outage", false, nil, []redrive.Report{message("m1", "an outage", false)},
			"m1: kept: an outage\n", "deployer: 0 messages done, 1 kept\n", true},
		{"deleted", false, []string{"m1"}, []redrive.Report{message("m1", "", false)},
			"m1: deleted, and its event not run\n", "deployer: 1 messages done, 0 kept\n", false},
		{"a look at one, and one that is missing", true, []string{"m1", "m2"},
			[]redrive.Report{message("m1", "", false)},
			"m1: would be deleted, and its event not run\n", "deployer: no message m2 is in the queue, or another " +
				"receiver has it: try again in five minutes\ndeployer: 1 messages would be done, 0 kept\n", true},
	} {
		var out, err bytes.Buffer
		r := redriveReport{app: &app{out: &out, err: &err}, dryRun: tt.dryRun, discards: tt.discards,
			discard: []string{"redrive", "-f", "my prod.yaml", "--queue", "q", "--delete"}}
		for _, m := range tt.reports {
			r.add(m)
		}
		if end := r.end(); (end != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, end)
		}
		if diff := cmp.Diff(tt.out+tt.err, out.String()+err.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
