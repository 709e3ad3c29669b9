package ecsdeploy

import (
	"cmp"
	"context"
	"strings"
	"testing"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/internal/journal"
)

// TestRollbackTo makes a sequence of deployments and rollbacks. A step is an event, for
// an image, for the image that runs ("again") or for a "rollback", and the image that the
// service runs afterwards. After each step the events of all rollbacks are delivered
// again.
func TestRollbackTo(t *testing.T) {
	t.Parallel()
	type step struct {
		event, runs string
		outcome     journal.Phase // of the rollout
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"to the last image", []step{{"v2", "v2", journal.Succeeded}, {"v3", "v3", journal.Succeeded},
			{"rollback", "v2", journal.Succeeded}}},
		{"past one that failed", []step{{"v2", "v2", journal.Succeeded}, {"v3", "v3", journal.Failed},
			{"v4", "v4", journal.Succeeded}, {"rollback", "v2", journal.Succeeded}}},
		{"past one that never ended", []step{{"v2", "v2", journal.Succeeded}, {"v3", "v3", journal.Impaired},
			{"v4", "v4", journal.Succeeded}, {"rollback", "v2", journal.Succeeded}}},
		{"from one that never ended", []step{{"v2", "v2", journal.Succeeded}, {"v3", "v3", journal.Impaired},
			{"rollback", "v2", journal.Succeeded}}},
		{"twice", []step{{"v2", "v2", journal.Succeeded}, {"v3", "v3", journal.Succeeded},
			{"v4", "v4", journal.Succeeded}, {"rollback", "v3", journal.Succeeded}, {"rollback", "v2",
				journal.Succeeded}}},
		{"twice, with a redeployment between", []step{{"v2", "v2", journal.Succeeded}, {"v3", "v3", journal.Succeeded},
			{"v4", "v4", journal.Succeeded}, {"rollback", "v3", journal.Succeeded}, {"again", "v3", journal.Succeeded},
			{"again", "v3", journal.Failed}, {"rollback", "v2", journal.Succeeded}}},
		{"from an image that was deployed again", []step{{"v2", "v2", journal.Succeeded},
			{"v3", "v3", journal.Succeeded}, {"v2", "v2", journal.Succeeded}, {"again", "v2", journal.Succeeded},
			{"rollback", "v3", journal.Succeeded}}},
		{"after a newer deployment", []step{{"v2", "v2", journal.Succeeded}, {"v3", "v3", journal.Succeeded},
			{"rollback", "v2", journal.Succeeded}, {"v4", "v4", journal.Succeeded}, {"rollback", "v2",
				journal.Succeeded}}},
		{"not to a revision that was rolled back",
			[]step{{"v2", "v2", journal.Succeeded}, {"v3", "v3", journal.Succeeded}, {"v4", "v4", journal.Succeeded},
				{"rollback", "v3", journal.Succeeded},
				{"v5", "v5", journal.Succeeded}, {"rollback", "v3", journal.Succeeded}, {"rollback", "v2",
					journal.Succeeded}}},
		{"to nothing", []step{{"v2", "v2", journal.Succeeded}, {"rollback", "", ""}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			d := New(ecsservice.New(w.Config))
			d.now = w.clock.Now
			var rollbacks []string
			for i, s := range tt.steps {
				o := w.event(t, string(rune('a'+i)), i, s.event)
				if s.event == "again" {
					o = w.event(t, o.Cause.ID, i, s.runs)
					o.Force = true
				}
				if s.event == "rollback" {
					back, done, err := d.RollbackTo(t.Context(), target, "", o.Cause.ID)
					if s.runs == "" {
						if fault.NameOf(err) != "NoRollback" {
							t.Errorf("step %d: %+v, %v", i, back, err)
						}
						return
					}
					if err != nil || done || back.Tag != s.runs {
						t.Fatalf("step %d: %+v, %v, %v, want %s", i, back, done, err, s.runs)
					}
					o.Image.Tag, o.Image.Digest, o.Restores = back.Tag, back.Digest, back.Origin()
					rollbacks = append(rollbacks, o.Cause.ID)
				}
				got, _, err := w.deploy(t, target, o)
				if err != nil || got.Status != Deployed || got.Tag != s.runs {
					t.Fatalf("step %d: %+v, %v", i, got, err)
				}
				must(t, d.services.AddNote(t.Context(), journal.Record{TaskDefinition: got.TaskDefinition},
					journal.Note{Outcome: s.outcome}))
				for _, event := range rollbacks {
					if back, done, err := d.RollbackTo(t.Context(), target, "", event); err != nil || !done ||
						back.Cause.ID != event {
						t.Errorf("step %d, event %s again: %+v, %v, %v", i, event, back, done, err)
					}
				}
			}
		})
	}
}

// TestNoRollback checks what is said if no revision is found to roll back to. Before the first deployment the service
// ran revision 1.
func TestNoRollback(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		events []string // that are carried out; "rollback" is one to v2
		want   string
	}{
		{[]string{"v2"}, "than 2 succeeded with another image"},
		{[]string{"v2", "again"}, "than 2, which has the image of revision 3, succeeded with another image"},
		{[]string{"v2", "v3", "rollback"}, "than 2, which revision 4 restored, succeeded with another image"},
	} {
		w := newWorld(t)
		d := w.deployer()
		for i, event := range tt.events {
			tag := map[string]string{"again": "v2", "rollback": "v2"}[event]
			o := w.event(t, event, i, cmp.Or(tag, event))
			o.Force = event == "again"
			if event == "rollback" {
				back, _, err := d.RollbackTo(t.Context(), target, "", o.Cause.ID)
				must(t, err)
				o.Restores = back.Origin()
			}
			got, _, err := w.deploy(t, target, o)
			must(t, err)
			must(t, d.services.AddNote(t.Context(), journal.Record{TaskDefinition: got.TaskDefinition},
				journal.Note{Outcome: journal.Succeeded}))
		}
		_, _, err := d.RollbackTo(t.Context(), target, "", "r")
		if fault.NameOf(err) != "NoRollback" || !strings.Contains(err.Error(), "no earlier revision "+tt.want+" (") {
			t.Errorf("%v: %v", tt.events, err)
		}
	}
}

// TestRollbackNotCarriedOut checks that a rollback that was registered, and never moved the
// service, is not called done after a newer deployment: it has the same goal again.
func TestRollbackNotCarriedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.deployer()
	for i, tag := range []string{"v2", "v3"} {
		got, _, err := w.deploy(t, target, w.event(t, tag, i, tag))
		must(t, err)
		must(t, d.services.AddNote(t.Context(), journal.Record{TaskDefinition: got.TaskDefinition},
			journal.Note{Outcome: journal.Succeeded}))
	}
	o := w.event(t, "rollback", 2, "v2")
	back, _, err := d.RollbackTo(t.Context(), target, "", o.Cause.ID)
	must(t, err)
	o.Restores = back.Origin()
	ctx, cancel := context.WithCancel(t.Context())
	dies := w.deployer()
	dies.ecs = &between{writer: dies.ecs, beforeUpdate: cancel}
	s, err := dies.Read(ctx, target)
	must(t, err)
	if _, err := dies.Deploy(ctx, s, o); err == nil {
		t.Fatal("the rollback did not die")
	}
	_, _, err = w.deploy(t, target, w.event(t, "v4", 3, "v4"))
	must(t, err)
	again, done, err := d.RollbackTo(t.Context(), target, "", o.Cause.ID)
	if err != nil || done || again.TaskDefinition != back.TaskDefinition {
		t.Fatalf("%+v, %v, %v, want revision %d", again, done, err, back.Revision)
	}
	got, _, err := w.deploy(t, target, o)
	if err != nil || got.Status != Superseded || w.image(t) == "" || w.running(t) != 5 {
		t.Errorf("%+v, %v; it runs %d", got, err, w.running(t))
	}
}

// TestRollbackReason checks that the sender's reason is found in a rollback's.
func TestRollbackReason(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{
		"":                    "rollback to revision 3",
		"it is slow":          "rollback to revision 3: it is slow",
		"slow: p99 is 3 s: !": "rollback to revision 3: slow: p99 is 3 s: !",
	} {
		got := RollbackReason(3, reason)
		if got != want || SenderReason(got) != reason {
			t.Errorf("%q, of which the sender's is %q, want %q", got, SenderReason(got), want)
		}
	}
}
