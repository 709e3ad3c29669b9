package ecsdeploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"deployer/internal/ecsservice"
	"deployer/internal/journal"
)

// TestLastFailure checks when a result says that the last rollout of the image failed, and that no call is made for it.
func TestLastFailure(t *testing.T) {
	t.Parallel()
	const why = "ECS deployment circuit breaker: tasks failed to start."
	type step struct {
		tag     string
		outcome journal.Phase
	}
	for _, tt := range []struct {
		name  string
		steps []step // rollouts before, and how their journals say that they ended
		tag   string // of the event
		want  string // its reason's end; "" if nothing is said
	}{
		{"it failed", []step{{"bad", journal.Failed}}, "bad", "; the last rollout of this image, of revision 2, " +
			"failed: " + strings.TrimSuffix(why, ".") + "; its stopped tasks: exit code 1"},
		{"it failed, and succeeded later", []step{{"bad", journal.Failed}, {"bad", journal.Succeeded}}, "bad", ""},
		{"another image failed", []step{{"bad", journal.Failed}}, "v2", ""},
		{"it succeeded", []step{{"v2", journal.Succeeded}}, "v2", ""},
		{"it was superseded", []step{{"v2", journal.Superseded}}, "v2", ""},
		{"no outcome is known", []step{{"v2", ""}}, "v2", ""},
		{"it is the first one", nil, "v2", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(t)
			for i, s := range tt.steps {
				before := w.event(t, fmt.Sprint("before", i), 1+i, s.tag)
				before.Force = true
				got, _, err := w.deploy(t, target, before)
				must(t, err)
				if s.outcome != "" {
					note := journal.Note{Outcome: s.outcome}
					if s.outcome == journal.Failed {
						note.Why, note.Stopped = why, "exit code 1"
					}
					must(t, ecsservice.New(w.Config).AddNote(t.Context(),
						journal.Record{TaskDefinition: got.TaskDefinition}, note))
				}
				w.settle(t)
			}
			again := w.event(t, "again", 9, tt.tag)
			again.Force = true
			state, err := w.deployer().Read(t.Context(), target)
			must(t, err)
			planned, err := w.deployer().Plan(t.Context(), state, again)
			must(t, err)
			got, calls, err := w.deploy(t, target, again)
			if err != nil || got.Status != Deployed || planned.Status != Planned {
				t.Fatalf("%+v, %+v, %v", got, planned, err)
			}
			for _, d := range []Deployment{got, planned} {
				said := strings.Contains(d.Reason, "the last rollout of this image")
				if said != (tt.want != "") || !strings.HasSuffix(d.Reason, tt.want) || said != (d.LastFailure != nil) {
					t.Errorf("%s: %q with %+v, want %q", d.Status, d.Reason, d.LastFailure, tt.want)
				}
			}
			if tt.want != "" && (got.LastFailure.TaskDefinition != arn+target.Family+":2" ||
				got.LastFailure.Why != why) {
				t.Errorf("%+v", got.LastFailure)
			}
			_, usual, err := w.deploy(t, target, w.event(t, "usual", 10, "v9"))
			must(t, err)
			slices.Sort(calls)
			slices.Sort(usual)
			if !slices.Equal(calls, usual) {
				t.Errorf("calls %v, without a failure %v", calls, usual)
			}
		})
	}
}

// TestLastFailureRuns: if ECS had nothing to roll back to, the image runs whose rollout failed, and another event does
// not roll it out again.
func TestLastFailureRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // its first rollout has not ended
	bad := w.event(t, "bad", 1, "bad")
	w.FailImage(bad.Image.Digest)
	_, _, err := w.deploy(t, target, bad)
	must(t, err)
	for range 30 {
		w.clock.Advance(time.Second)
		w.Tick()
	}
	again := bad
	again.Cause.ID, again.Cause.Time = "again", again.Cause.Time.Add(5*time.Second)
	got, _, err := w.deploy(t, target, again)
	if err != nil || got.Status != Unchanged || got.Reason != "the service already runs this image; the last rollout "+
		"of this image, of revision 2, failed; to roll it out again: deployer deploy -f dev.yaml web bad --force" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestLastFailureListed: until the function has noted the failure in the journal, ECS's own list says it, and a
// redelivery of the event itself is not about an earlier rollout.
func TestLastFailureListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(t)
	bad := w.event(t, "bad", 1, "bad")
	w.FailImage(bad.Image.Digest)
	_, _, err := w.deploy(t, target, bad)
	must(t, err)
	for range 30 {
		w.clock.Advance(time.Second)
		w.Tick()
	}
	again := bad
	again.Cause.ID, again.Cause.Time = "again", again.Cause.Time.Add(5*time.Second)
	got, _, err := w.deploy(t, target, again)
	if err != nil || got.Status != Deployed ||
		!strings.HasSuffix(got.Reason, "; the last rollout of this image, of revision 2, failed") {
		t.Errorf("%+v, %v", got, err)
	}
}
