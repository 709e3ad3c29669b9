package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestSeveralWait sends DEPLOY events of several workloads before their images are replicated: nothing is deployed
// before all are there. Of those that are not named, each waits by itself.
func TestSeveralWait(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		services string
		age      time.Duration // of the event: the schedules' clock alone can be advanced
		comes    bool          // the image of web-api
		at       string        // what was published before that
		ends     []string
		kept     []string
	}{
		"named, and all come": {`["worker","web-api"]`, 12 * time.Minute, true, "",
			[]string{"web-api v2: Started Succeeded", "worker v2: Started Succeeded"}, nil},
		"named, and one never comes": {`["worker","web-api"]`, 31 * time.Minute, false,
			"web-api v2: Rejected, worker v2: Rejected",
			[]string{"web-api v2: Rejected", "worker v2: Rejected"}, []string{"Deployment Rejected"}},
		"all that have the tag": {`"*"`, 12 * time.Minute, true, "worker v2: Started Succeeded",
			[]string{"web-api v2: Started Succeeded", "worker v2: Started Succeeded"}, nil},
		"all, and one never comes": {`"*"`, 31 * time.Minute, false, "worker v2: Started Succeeded",
			[]string{"worker v2: Started Succeeded"}, nil},
	}
	leaveOut(t, tests, "named, and all come", "all, and one never comes")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenarioWith(t, replicated, time.Hour)
			s.clock.Advance(s.start.Sub(s.clock.Now()))
			s.pushAll(t, "v2", "worker")
			s.sendAt(t, s.start.Add(-tt.age), `{"services":`+tt.services+`,"tag":"v2"}`)
			s.advance(t, 8*rolloutStep)
			ends, _ := s.ends(t)
			if got := strings.Join(ends, ", "); got != tt.at {
				t.Errorf("before: %s, want %s\n%s", got, tt.at, s.logs)
			}
			if tt.comes {
				s.pushAll(t, "v2", "web-api")
			}
			s.clock.Advance(20 * time.Minute)
			s.advance(t, 12*rolloutStep)
			ends, ids := s.ends(t)
			if diff := cmp.Diff(tt.ends, ends); diff != "" || ids != 1 {
				t.Errorf("%d events, published (-want +got):\n%s\n%s", ids, diff, s.logs)
			}
			if diff := cmp.Diff(tt.kept, s.kept(t)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSeveralOfMany deploys 50 services by one event under ECS's rate limits, within the function's timeout.
func TestSeveralOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, p := newFakeTime(t, 50)
		e.LimitRates()
		e.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
		start := time.Now()
		got, err := p.Handle(withDeadline(t, 2*time.Minute),
			[]byte(deployEvent("action.dev", `{"services":"*","tag":"latest"}`)))
		must(t, err)
		took := time.Since(start)
		count := map[string]int{}
		for _, d := range got.Deployments {
			count[string(d.Status)]++
		}
		moved, _ := emulatortest.Count(e.Calls(), "UpdateService")
		t.Logf("%v in %s, %d moved", count, took, moved)
		if got.Status != "deployed" || count["deployed"] != 50 || moved != 50 || took > 90*time.Second {
			t.Errorf("%s: %v in %s, %d moved", got.Status, count, took, moved)
		}
	})
}
