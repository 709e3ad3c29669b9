package ecsdeploy

import (
	"testing"
	"time"
)

// TestFailedEventIsNotRepeated checks that neither a duplicate of an event whose rollout
// failed, nor a look, rolls it out again.
func TestFailedEventIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(t)
	bad := w.event(t, "bad", 1, "bad")
	w.FailImage(bad.Image.Digest)
	_, _, err := w.deploy(t, target, bad)
	must(t, err)
	for range 20 {
		w.clock.Advance(time.Second)
		w.Tick()
		if w.running(t) == 1 {
			break
		}
	}
	if w.running(t) != 1 {
		t.Fatal("the circuit breaker did not trip")
	}
	got, _, err := w.deploy(t, target, bad)
	want := "the rollout of this event failed before, and is not repeated; to try again: deployer send -f " +
		target.File + " " + target.Workload + " bad"
	if err != nil || got.Status != Ignored || got.Reason != want || w.running(t) != 1 || w.newest(t) != 2 {
		t.Errorf("%+v, %v; it runs %d of %d", got, err, w.running(t), w.newest(t))
	}
	service, err := w.deployer().Read(t.Context(), target)
	must(t, err)
	if moved, err := w.deployer().Look(t.Context(), target, service.primary, Order{}); err != nil || moved != "" {
		t.Errorf("%q, %v", moved, err)
	}
}

// TestAgain checks the command that asks once more for what failed.
func TestAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := w.deployer().Read(t.Context(), target)
	must(t, err)
	order := w.event(t, "e", 1, "v2")
	forced, back, redeploy := order, order, order
	forced.Force, back.Restores, redeploy.Redeploy = true, arn+"p_service_web_dev:1", true
	command := func(name string) string { return "deployer " + name + " -f " + target.File + " " + target.Workload }
	for _, tt := range []struct {
		name  string
		order Order
		want  string
	}{
		{"a tag", order, command("send") + " v2"},
		{"by force", forced, command("deploy") + " v2 --force"},
		{"a rollback", back, command("rollback")},
		{"a redeployment", redeploy, command("redeploy")},
	} {
		if got := s.again(tt.order); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	_, _, err = w.deploy(t, target, order)
	must(t, err)
	s, err = w.deployer().Read(t.Context(), target)
	must(t, err)
	if got, want := s.again(order), command("deploy")+" v2 --force"; got != want {
		t.Errorf("it was not rolled back: %q, want %q", got, want)
	}
}
