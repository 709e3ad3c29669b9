package rollout

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// TestOriginalEvent checks that the event of a revision asks for the same again.
func TestOriginalEvent(t *testing.T) {
	t.Parallel()
	env, err := environment.Load("../../examples/centralized-dev-ecr/dev.yaml")
	must(t, err)
	w, _ := env.Find("web-api", environment.Services...)
	const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	asked := func(source string, changes ...func(*journal.Record)) journal.Record {
		r := journal.Record{Image: w.Reference("latest").String(), Tag: "latest", Digest: digest,
			Cause: causeOf("e1", 1)}
		r.Cause.Source, r.Cause.Actor, r.Cause.Reason = source, "ada", "because"
		for _, change := range changes {
			change(&r)
		}
		return r
	}
	restoring := func(r *journal.Record) {
		r.Restores, r.Cause.Reason = arn+"f:3", ecsdeploy.RollbackReason(3, "because")
	}
	source := env.DeploySources[0]
	deploy := event.Request{Cause: event.Cause{ID: "e1", Time: eventTime.Add(1e9), Source: source, Actor: "ada",
		Reason: "because"}, Workload: w, Tag: "latest"}
	rollback := deploy
	rollback.Tag, rollback.Rollback = "", true
	push := event.Request{Cause: event.Cause{ID: "e1", Time: eventTime.Add(1e9), Source: event.ECRSource}, Workload: w,
		Tag: "latest", Digest: digest, Push: true}
	redeploy := deploy
	redeploy.Tag, redeploy.Redeploy = "", true
	untagged := func(r *journal.Record) { r.Tag = "" }
	restored := deploy
	restored.Cause.Reason = ecsdeploy.RollbackReason(3, "because")
	for _, tt := range []struct {
		name   string
		record journal.Record
		want   event.Request
	}{
		{"a DEPLOY event", asked(source), deploy},
		{"a rollback", asked(source, restoring), rollback},
		{"a redeployment of an image without a tag", asked(source, untagged), redeploy},
		{"a command", asked("deployer.cli"), deploy},
		{"a rollback by a command", asked("deployer.cli", restoring), restored},
		{"a push", asked(event.ECRSource), push},
		{"a lost push", asked(event.ReconcileSource), push},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reading := event.Read(originalEvent(env, w, tt.record), env, eventTime.Add(2e9))
			if reading.Verdict != event.Accepted {
				t.Fatalf("%s: %s", reading.Verdict, reading.Reason)
			}
			if diff := cmp.Diff([]event.Request{tt.want}, reading.Requests); diff != "" {
				t.Error(diff)
			}
		})
	}
	silent := *env
	silent.DeploySources = nil
	if raw := originalEvent(&silent, w, asked("deployer.cli")); raw != nil {
		t.Errorf("%s", raw)
	}
}
