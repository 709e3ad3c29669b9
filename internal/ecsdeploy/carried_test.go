package ecsdeploy

import (
	"testing"
	"time"
)

// TestCarriedOutIsTold holds when a late event counts as one that was carried out: its
// revision is there, and ECS has told of it, or still may.
func TestCarriedOutIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := w.deploy(t, target, order(w.digest)); err != nil {
		t.Fatal(err)
	}
	d := New(w.Config)
	d.now = w.clock.Now
	carried := func(event string) bool {
		t.Helper()
		state, err := d.Read(t.Context(), target)
		must(t, err)
		done, err := d.CarriedOut(t.Context(), state, event, eventTime)
		must(t, err)
		return done
	}
	if !carried("e1") || carried("e0") {
		t.Error("just after it was carried out, it counts as not, or another does")
	}
	w.clock.Advance(2 * time.Minute)
	if carried("e1") {
		t.Error("ECS has told nothing of its revision for two minutes, and it counts as carried out")
	}
	must(t, d.Note(t.Context(), Record{TaskDefinition: arn + target.Family + ":2"}, Note{DeploymentID: "ecs-svc/1"}))
	if !carried("e1") {
		t.Error("ECS has told of its revision, and it counts as not carried out")
	}
}
