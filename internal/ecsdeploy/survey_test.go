package ecsdeploy

import (
	"testing"
	"time"

	"deployer/internal/image"
)

// TestSurvey holds from when on a service counts as running what it runs: from
// the time of the event, or from when somebody else registered it.
func TestSurvey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	missing := target
	missing.Service = "p_service_gone_dev"
	d := New(w.Config)
	survey := func(want time.Time, runs, not image.Reference) {
		t.Helper()
		all, err := d.Survey(t.Context(), "c", []Target{missing, target})
		must(t, err)
		if all[0] != nil || all[1] == nil || !all[1].Since.Equal(want) || !all[1].Runs(runs) || all[1].Runs(not) {
			t.Errorf("%+v, want since %s", all, want)
		}
	}
	v0 := image.Reference{Host: host, Repository: "p_service_web", Tag: "v0"}
	o := w.event(t, "e", 1, "v2")
	survey(eventTime.Add(-time.Hour), v0, o.Image)
	_, _, err := w.deploy(t, target, o)
	must(t, err)
	survey(o.Cause.Time, o.Image, v0)
}
