package ecsservice

import (
	"testing"
	"time"

	"deployer/internal/event"
	"deployer/internal/image"
	"deployer/internal/journal"
)

// TestRunningImages checks since when a service counts as running its image:
// since the event of its revision, or since another tool registered it.
func TestRunningImages(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	missing := target
	missing.Service = "p_service_gone_dev"
	check := func(want time.Time, runs, not image.Reference) {
		t.Helper()
		all, err := a.services.RunningImages(t.Context(), "c", []Target{missing, target})
		must(t, err)
		if all[0] != nil || all[1] == nil || !all[1].Since.Equal(want) || !all[1].Is(runs) || all[1].Is(not) {
			t.Errorf("%+v, want since %s", all, want)
		}
	}
	v0 := image.Reference{Host: host, Repository: "p_service_web", Tag: "v0"}
	v2 := image.Reference{Host: host, Repository: "p_service_web", Tag: "v2", Digest: digest}
	check(eventTime.Add(-time.Hour), v0, v2)
	entry := journal.Entry{Cause: event.Cause{ID: "e", Time: eventTime}, Tag: "v2", Digest: digest}
	a.register(t, host+"/p_service_web:v2", entry.Tags()...)
	a.moveTo(t, target.Family+":2")
	check(eventTime, v2, v0)
}
