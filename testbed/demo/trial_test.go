//go:build slow

package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rows returns the decisions that were printed after a text, without their times.
func (s *screen) rows(after string) (rows []string) {
	_, text, _ := strings.Cut(s.String(), after)
	for line := range strings.Lines(text) {
		if at, row, ok := strings.Cut(line, "  "); ok && len(at) == len(time.TimeOnly) {
			rows = append(rows, strings.TrimSuffix(row, "\n"))
		}
	}
	return rows
}

// trialRows are the decisions after each trial. A push has no order among the environments.
var trialRows = [][]string{{
	"dev      deployed    backend latest: the service is being moved to the new revision",
	"dev      started     deployment of latest (revision 2) to backend of myproject in dev started",
	"dev      succeeded   backend of myproject in dev runs latest (revision 2)",
	"staging  deployed    backend latest: the service is being moved to the new revision",
	"staging  started     deployment of latest (revision 2) to backend of myproject in staging started",
	"staging  succeeded   backend of myproject in staging runs latest (revision 2)",
}, {
	"prod     deployed    backend git-abc123f: the service is being moved to the new revision",
	"prod     started     deployment of git-abc123f (revision 2) to backend of myproject in prod started",
	"prod     succeeded   backend of myproject in prod runs git-abc123f (revision 2)",
}, {
	`dev      ignored     worker git-bad0bad: tag "git-bad0bad" does not deploy dev: auto_deploy has only latest`,
	"prod     deployed    worker git-bad0bad: the service is being moved to the new revision",
	"prod     failed      deployment of git-bad0bad (revision 2) to worker of myproject in prod failed: " +
		"ECS deployment circuit breaker: tasks failed to start; stopped tasks: Essential container in task " +
		"exited; container myproject_service_worker_prod exited with code 1 (4 tasks); ECS rolled back to " +
		"revision 1",
	"prod     started     deployment of git-bad0bad (revision 2) to worker of myproject in prod started",
	`staging  ignored     worker git-bad0bad: tag "git-bad0bad" does not deploy staging: ` +
		`auto_deploy has only latest, env-staging-*`,
}, {
	`prod     failed      backend git-abc123f: looking for tag "git-abc123f" in ECR repository ` +
		`"myproject_backend" of account 111111111111 in us-east-1: access denied: explicit deny in an ` +
		"identity-based policy; AWS's message: User: " +
		"arn:aws:sts::333333333333:assumed-role/myproject_deployer_prod/session is not authorized to …",
	"prod     failed      deployment of git-abc123f to backend of myproject in prod failed: looking for " +
		`tag "git-abc123f" in ECR repository "myproject_backend" of account 111111111111 in us-east-1: ` +
		"access denied: explicit deny in an identity-based policy; AWS's message: User: …",
}, {
	"prod     started     deployment of v1 (revision 4) to backend of myproject in prod started",
	"prod     succeeded   backend of myproject in prod runs v1 (revision 4)",
}}

// TestUpTrials pastes every command of the instructions, in their order.
func TestUpTrials(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the aws command is not installed")
	}
	var out screen
	u, err := startUp(t.Context(), testUpOptions(t), &out)
	if err != nil {
		t.Fatal(err)
	}
	defer u.cloud.Close()
	for i, trial := range trials {
		before := out.String()
		for _, c := range trial.commands {
			if !strings.Contains(u.instructions.text(), "\n  "+c.line+"\n") {
				t.Errorf("the instructions lack %s", c.line)
			}
			if code, text := u.instructions.paste(t, c.line); code != c.exit {
				t.Errorf("exit code %d, want %d: %s\n%s", code, c.exit, c.line, text)
			}
		}
		rows := func() []string {
			rows := out.rows(before)
			slices.Sort(rows)
			return slices.Compact(rows) // an event that fails is tried three times
		}
		for end := time.Now().Add(time.Minute); time.Now().Before(end) && len(rows()) < len(trialRows[i]); {
			time.Sleep(20 * time.Millisecond)
		}
		if diff := cmp.Diff(trialRows[i], rows()); diff != "" {
			t.Errorf("%d. %s (-want +got):\n%s", i+1, trial.title, diff)
		}
	}
	for _, line := range lookAround {
		line = strings.Replace(line, "dashboard", "dashboard --once page.html", 1)
		if code, text := u.instructions.paste(t, line); code != 0 {
			t.Errorf("exit code %d: %s\n%s", code, line, text)
		}
	}
}
