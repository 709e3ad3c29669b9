package journal

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
)

// TestParse checks records, and that the image reference takes precedence over a
// journal that contradicts it.
func TestParse(t *testing.T) {
	t.Parallel()
	digest, other := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	const repository = "111111111111.dkr.ecr.us-east-1.amazonaws.com/p_service_web"
	registered := eventTime.Add(time.Minute)
	whole := map[string]string{
		keyEventID: "e1", keyTime: "2026-01-22T10:15:30Z", keySource: "action.dev", keyTag: "v1", keyDigest: digest,
		keyPrevious: arn + "f:6",
		keyActor:    "ada", keyReason: "because", keyDeployment: "ecs-svc/1", keyOutcome: "succeeded",
		keyFinished: "2026-01-22T10:17:00Z", keyStopped: "OutOfMemoryError", keyHooks: "0f3c77ab",
	}
	base := Record{TaskDefinition: arn + "f:7", Revision: 7, Registered: registered}
	ours := base
	ours.Cause = event.Cause{ID: "e1", Time: eventTime, Source: "action.dev", Actor: "ada", Reason: "because"}
	ours.Previous, ours.DeploymentID, ours.Outcome = arn+"f:6", "ecs-svc/1", Succeeded
	ours.Stopped, ours.Hooks = "OutOfMemoryError", "0f3c77ab"
	ours.Finished = time.Date(2026, 1, 22, 10, 17, 0, 0, time.UTC)
	with := func(r Record, image, tag, digest string) Record {
		r.Image, r.Tag, r.Digest = image, tag, digest
		return r
	}
	foreign := base
	foreign.Foreign = true
	gone := foreign
	gone.Inactive = true
	tests := []struct {
		name, image string
		inactive    bool
		tags        map[string]string
		want        Record
	}{
		{"by digest", repository + "@" + digest, false, whole, with(ours, repository+"@"+digest, "v1", digest)},
		{"by tag", repository + ":v1", false, whole, with(ours, repository+":v1", "v1", digest)},
		{"a journal copied onto another image", repository + "@" + other, false, whole,
			with(ours, repository+"@"+other, "", other)},
		{"a journal copied onto another tag", repository + ":v2", false, whole, with(ours, repository+":v2", "v2", "")},
		{"foreign by tag", repository + ":v1", false, nil, with(foreign, repository+":v1", "v1", "")},
		{"foreign by both", repository + ":v1@" + digest, false, nil,
			with(foreign, repository+":v1@"+digest, "v1", digest)},
		{"deregistered", repository + ":v1", true, nil, with(gone, repository+":v1", "v1", "")},
		{"an image that is no reference", "${image}", false, nil, with(foreign, "${image}", "", "")},
		{"an unknown outcome", repository + ":v1", false, map[string]string{keyOutcome: "mended"},
			with(foreign, repository+":v1", "v1", "")},
		{"half a journal", repository + ":v1", false, map[string]string{keyEventID: "e1", keyTime: "yesterday"},
			with(foreign, repository+":v1", "v1", "")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Parse(Revision{ARN: arn + "f:7", Number: 7, Registered: registered, Inactive: tt.inactive,
				Image: tt.image, Tags: tt.tags})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRecordJSON pins the members that `deployer history` and `deployer status` print.
func TestRecordJSON(t *testing.T) {
	t.Parallel()
	full := Record{
		TaskDefinition: arn +
			"f:7", Revision: 7, Registered: eventTime, Inactive: true, Image: "i", Tag: "v1", Digest: "sha256:d",
		Cause:    event.Cause{ID: "e1", Time: eventTime, Source: "action.dev", Actor: "ada", Reason: "because"},
		Previous: "p", Restores: "r", Foreign: true, Outcome: RollingOut, Finished: eventTime, Why: "w",
		RolledBackBy: "ecs-svc/2", DeploymentID: "ecs-svc/1", Stopped: "s", Hooks: "h",
		Rule: Rule{Base: 1},
	}
	const at = `"2026-01-22T10:15:30Z"`
	for _, tt := range []struct {
		record Record
		want   string
	}{
		{Record{}, `{"task_definition":"","revision":0}`},
		{full, `{"task_definition":"` + arn + `f:7","revision":7,"registered":` + at + `,"inactive":true,
			"image":"i","tag":"v1","digest":"sha256:d","event_id":"e1","event_time":` + at + `,"source":"action.dev",
			"actor":"ada","reason":"because","previous":"p","restores":"r","foreign":true,
			"outcome":"rolling out","finished":` + at + `,"why":"w","return":"ecs-svc/2","deployment_id":"ecs-svc/1",
			"stopped_tasks":"s"}`},
	} {
		text, err := json.Marshal(tt.record)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := errors.Join(json.Unmarshal(text, &got), json.Unmarshal([]byte(tt.want), &want)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestRecordMethods checks the methods of records.
func TestRecordMethods(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name              string
		record            Record
		pending, reported bool
		by, origin        string
	}{
		{"just registered", Record{TaskDefinition: "a", Cause: event.Cause{Source: "aws.ecr"}}, true, false, "aws.ecr",
			"a"},
		{"started", Record{TaskDefinition: "a", DeploymentID: "ecs-svc/1",
			Cause: event.Cause{Source: "action.dev", Actor: "ada"}}, true, true, "ada", "a"},
		{"won after it was superseded", Record{TaskDefinition: "a", Outcome: RollingOut}, true, true, "", "a"},
		{"impaired", Record{TaskDefinition: "a", Outcome: Impaired}, true, true, "", "a"},
		{"succeeded", Record{TaskDefinition: "a", Outcome: Succeeded}, false, true, "", "a"},
		{"failed", Record{TaskDefinition: "a", Outcome: Failed}, false, true, "", "a"},
		{"superseded", Record{TaskDefinition: "a", Outcome: Superseded}, false, true, "", "a"},
		{"foreign", Record{TaskDefinition: "a", Foreign: true}, false, false, "", "a"},
		{"a rollback", Record{TaskDefinition: "a", Restores: "b"}, true, false, "", "b"},
	} {
		r := tt.record
		if r.Pending() != tt.pending || r.Reported() != tt.reported || r.By() != tt.by || r.Origin() != tt.origin {
			t.Errorf("%s: pending %v, reported %v, by %q, origin %q", tt.name, r.Pending(), r.Reported(), r.By(),
				r.Origin())
		}
	}
}

// TestOnlyRecords checks which revisions are only records of their events.
func TestOnlyRecords(t *testing.T) {
	t.Parallel()
	external := Record{Revision: 4, Foreign: true, Image: "host/r@sha256:1", Digest: "sha256:1"}
	own := Record{Revision: 5, Image: "host/r@sha256:1", Digest: "sha256:1",
		Rule: Rule{Configuration: Configuration{4, 4}}}
	for _, tt := range []struct {
		name     string
		change   func(r *Record)
		previous Record
		want     bool
	}{
		{"the same image", func(*Record) {}, own, true},
		{"under another tag", func(r *Record) { r.Image = "host/r:v2" }, own, true},
		{"another image", func(r *Record) { r.Image, r.Digest = "host/r@sha256:2", "sha256:2" }, own, false},
		{"no digest is known", func(r *Record) { r.Image, r.Digest = "host/r:v2", "" }, Record{Image: "host/r:v1"},
			false},
		{"by force", func(r *Record) { r.Rule.Demand = Forced }, own, false},
		{"the same configuration", func(r *Record) { r.Rule.Demand = NewerConfiguration }, own, true},
		{"that of an external revision", func(r *Record) { r.Rule.Demand = NewerConfiguration }, external, true},
		{"a newer configuration", func(r *Record) {
			r.Rule.Demand, r.Rule.Configuration = NewerConfiguration, Configuration{3, 3}
		}, own, false},
		{"a configuration that is not known", func(r *Record) {
			r.Rule.Demand, r.Rule.Configuration = NewerConfiguration, Configuration{}
		}, Record{Image: own.Image}, false},
		{"another tool's", func(r *Record) { r.Foreign = true }, own, false},
		{"nothing is known of what ran", func(*Record) {}, Record{}, false},
	} {
		r := own
		if tt.change(&r); r.OnlyRecords(tt.previous) != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, !tt.want, tt.want)
		}
	}
}
