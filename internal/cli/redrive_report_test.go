package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/pipeline"
	"deployer/internal/redrive"
)

// TestRedriveReport checks what is printed of messages that end otherwise than carried out, and of those to delete.
func TestRedriveReport(t *testing.T) {
	t.Parallel()
	const failed = "event e ignored: the rollout of this event failed before"
	const unread = "m1: - of -, tag -, actor -, age unknown (event -; ): "
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
			unread + "kept: " + failed + "\n", "deployer: 0 messages done, 1 kept\n" +
				"deployer: to discard a message that is not wanted any more: " +
				"deployer redrive -f 'my prod.yaml' --queue q --discard m1\n", true},
		{"an outage", false, nil, []redrive.Report{message("m1", "an outage", false)},
			unread + "kept: an outage\n", "deployer: 0 messages done, 1 kept\n", true},
		{"deleted", false, []string{"m1"}, []redrive.Report{message("m1", "", false)},
			unread + "deleted, and its event not run\n", "deployer: 1 message done, 0 kept\n", false},
		{"a look at one, and one that is missing", true, []string{"m1", "m2"},
			[]redrive.Report{message("m1", "", false)},
			"m1: - of -, tag -, actor -, age unknown (event -; ): would be deleted, and its event not run\n",
			"deployer: no message m2 is in the queue, or another " +
				"receiver has it: try again in five minutes\ndeployer: 1 message would be done, 0 kept\n", true},
	} {
		var out, err bytes.Buffer
		r := redriveReport{app: &app{out: &out, err: &err}, dryRun: tt.dryRun, discards: tt.discards,
			discard: []string{"redrive", "-f", "my prod.yaml", "--queue", "q", "--discard"}}
		for _, m := range tt.reports {
			r.add(m)
		}
		if end := r.end(nil); (end != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, end)
		}
		if diff := cmp.Diff(tt.out+tt.err, out.String()+err.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestRedriveOfSeveral checks what is said of an event of several workloads, of which one was rolled back since: that
// is not deployed again.
func TestRedriveOfSeveral(t *testing.T) {
	t.Parallel()
	const one = "DEPLOY of a, b with tag v2 from s"
	const two = one + " (a deployed, b superseded)"
	for _, tt := range []struct {
		a, b           ecsdeploy.Status
		preview, after string
	}{
		{ecsdeploy.Deployed, ecsdeploy.Superseded, "deployed: " + two, "deployed: " + two},
		{ecsdeploy.Planned, ecsdeploy.Superseded, "deployed: " + two, "planned: " + two},
		{ecsdeploy.Deployed, ecsdeploy.Deployed, "deployed: " + one, "deployed: " + one},
		{ecsdeploy.Deployed, ecsdeploy.Ignored, "deployed: " + one, "deployed: " + one},
	} {
		m := redrive.Report{Result: pipeline.Result{Status: tt.a, Reason: one,
			Deployments: []ecsdeploy.Deployment{{Service: "a", Status: tt.a}, {Service: "b", Status: tt.b}}}}
		reason := redrivenOf("q", m, false).Reason
		if got := verdict(m); got != tt.preview || !strings.HasSuffix(got, ": "+reason) {
			t.Errorf("%s, %s: preview %s, want %s; reason %s", tt.a, tt.b, got, tt.preview, reason)
		}
		if got := new(redriveReport).result(m); got != tt.after {
			t.Errorf("%s, %s: %s, want %s", tt.a, tt.b, got, tt.after)
		}
	}
}

// TestDiscardQuestion checks the question about a message that is to be discarded: its event is not previewed.
func TestDiscardQuestion(t *testing.T) {
	t.Parallel()
	var err bytes.Buffer
	a := &app{in: strings.NewReader("perhaps\ny\n"), err: &err}
	answer, failed := a.newAsker(true).ask(t.Context(), redrive.Report{})
	const question = "Discard it? [y]es, [n]o, [a]ll, [q]uit: "
	if answer != redrive.Yes || failed != nil || err.String() != question+question {
		t.Errorf("answer %v, %v after %q", answer, failed, err.String())
	}
}
