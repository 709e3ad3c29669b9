package main

import (
	"regexp"
	"strings"
	"testing"

	"deployer/testbed/aws/emulatortest"
)

// TestSharedFamilySeveral deploys two services of one family by one event: both register revisions of it at the same
// time, and each gets its own image.
func TestSharedFamilySeveral(t *testing.T) {
	t.Parallel()
	s := newSharedFamily(t)
	send := func(id string, second int, detail, want, runs string, moves int) {
		t.Helper()
		s.aws.ResetCalls()
		if got := s.send(t, id, second, detail); !strings.HasPrefix(got, want+": ") {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
		s.finish(t)
		if got := s.runs(t); !regexp.MustCompile("^" + runs + "$").MatchString(got) {
			t.Errorf("%s: they run %s, want %s", id, got, runs)
		}
		moved, _ := emulatortest.Count(s.aws.Calls(), "UpdateService")
		registered, _ := emulatortest.Count(s.aws.Calls(), "RegisterTaskDefinition")
		if moved != moves || registered != moves {
			t.Errorf("%s: %d registered, %d moved, want %d", id, registered, moved, moves)
		}
	}
	const both = `{"services":["web","internal"],`
	send("e1", 1, both+`"tag":"v2"}`, "deployed", `web [23] v2, internal [23] v2`, 2)
	send("e1", 1, both+`"tag":"v2"}`, "unchanged", `web [23] v2, internal [23] v2`, 0)
	send("e2", 10, `{"services":"*","tag":"v3"}`, "deployed", `web [45] v3, internal [45] v3`, 2)
	send("e3", 20, both+`"action":"rollback"}`, "deployed", `web [67] v2, internal [67] v2`, 2)
	send("e4", 30, both+`"action":"redeploy","force":true}`, "deployed", `web [89] v2, internal [89] v2`, 2)
}
