package journal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/event"
)

const arn = "arn:aws:ecs:us-east-1:111111111111:task-definition/"

// eventTime is the time of the tests' event.
var eventTime = time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC)

func TestEntryTags(t *testing.T) {
	t.Parallel()
	minimal := Entry{Cause: event.Cause{ID: "e1", Time: eventTime}}
	full := Entry{
		Cause: event.Cause{ID: "e1", Time: eventTime.In(time.FixedZone("CET", 3600)), Source: "action.dev",
			Actor: "ada", Reason: "because \"of\" it"},
		Tag: "v1", Digest: "sha256:d", Previous: arn + "f:6", Restores: arn + "f:3", Service: "c/web", CopyOf: 4,
		Rule: Rule{Base: 8, Best: Best{Number: 7, Time: eventTime.UnixNano() - 1}, Configuration: Configuration{2, 5},
			Demand: NewerConfiguration, Request: "r1", Principal: "111111111111:role/deployer"},
	}
	for _, tt := range []struct {
		name  string
		entry Entry
		want  []Tag
	}{
		{"minimal", minimal, []Tag{{"deployer:event-id", "e1"}, {"deployer:event-time", "2026-01-22T10:15:30Z"}}},
		{"full", full, []Tag{
			{"deployer:event-id", "e1"}, {"deployer:event-time", "2026-01-22T10:15:30Z"}, {"deployer:source",
				"action.dev"},
			{"deployer:tag", "v1"}, {"deployer:digest", "sha256:d"}, {"deployer:previous", arn +
				"f:6"}, {"deployer:actor", "ada"}, {"deployer:reason", "because _of_ it"},
			{"deployer:restores", arn + "f:3"}, {"deployer:service", "c/web"},
			{"deployer:copy-of", "4"}, {"deployer:rule",
				"base=8 best=7@2026-01-22T10:15:29.999999999Z config=2/5 manual=configuration " +
					"request=r1 by=111111111111:role/deployer"},
		}},
	} {
		if diff := cmp.Diff(tt.want, tt.entry.Tags()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestTagsWithin checks how many tags of its own leave space for the whole of the fullest
// entry, and for what it cannot do without.
func TestTagsWithin(t *testing.T) {
	t.Parallel()
	full := Entry{Cause: event.Cause{ID: "e1", Time: eventTime, Source: "s", Actor: "a", Reason: "r"}, Tag: "v1",
		Digest: "d", Previous: "p", Restores: "r", Service: "c/web", Rule: Rule{Base: 1}}
	for _, tt := range []struct {
		name       string
		own, notes int
		leftOut    []string
		ok         bool
	}{
		{"all", MaxOwnTags, NoteTags, nil, true},
		{"one too many", MaxOwnTags + 1, NoteTags, []string{"deployer:reason"}, true},
		{"the essential ones", OwnTagsLimit, EssentialNoteTags,
			[]string{"deployer:reason", "deployer:actor", "deployer:source", "deployer:previous"}, true},
		{"not even these", OwnTagsLimit + 1, EssentialNoteTags,
			[]string{"deployer:reason", "deployer:actor", "deployer:source", "deployer:previous"}, false},
	} {
		kept, leftOut, ok := full.TagsWithin(MaxTags - tt.notes - tt.own)
		if diff := cmp.Diff(tt.leftOut, leftOut); diff != "" || ok != tt.ok ||
			len(kept)+len(leftOut) != EntryTags || ok && len(kept)+tt.own+tt.notes > MaxTags {
			t.Errorf("%s: %d kept, %t, left out:\n%s", tt.name, len(kept), ok, diff)
		}
	}
}

func TestNoteTags(t *testing.T) {
	t.Parallel()
	full := Note{DeploymentID: "ecs-svc/1", Outcome: Failed, Finished: eventTime.Add(time.Millisecond),
		Why: "tasks failed to start", RolledBackBy: "ecs-svc/2", Stopped: "CannotPullContainerError", Hooks: "0f3c77ab"}
	for _, tt := range []struct {
		name string
		note Note
		want []Tag
	}{
		{"empty", Note{}, nil},
		{"impaired", Note{DeploymentID: "ecs-svc/1", Why: "tasks do not start"},
			[]Tag{{"deployer:deployment", "ecs-svc/1"}, {"deployer:why", "tasks do not start"}}},
		{"the essential part of impaired", Note{DeploymentID: "ecs-svc/1", Why: "tasks do not start"}.Essential(),
			[]Tag{{"deployer:deployment", "ecs-svc/1"}, {"deployer:outcome", "impaired"}}},
		{"one field", Note{DeploymentID: "ecs-svc/1"}, []Tag{{"deployer:deployment", "ecs-svc/1"}}},
		{"full", full, []Tag{
			{"deployer:deployment", "ecs-svc/1"}, {"deployer:outcome", "failed"}, {"deployer:finished",
				"2026-01-22T10:15:30Z"},
			{"deployer:why", "tasks failed to start"}, {"deployer:return", "ecs-svc/2"},
			{"deployer:stopped", "CannotPullContainerError"}, {"deployer:hooks", "0f3c77ab"},
		}},
	} {
		if diff := cmp.Diff(tt.want, tt.note.Tags()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	if got := len(full.Tags()); got != NoteTags {
		t.Errorf("a full note has %d tags, and NoteTags is %d", got, NoteTags)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                "",
		"git-abc_1.2 +-=._:/@":            "git-abc_1.2 +-=._:/@",
		"naïve \"quote\"\n<!channel>":     "na_ve _quote____channel_",
		strings.Repeat("é", 300):          strings.Repeat("_", 256),
		strings.Repeat("a", 257):          strings.Repeat("a", 256),
		"\xff":                            "_",
		"aws:cli":                         "_aws:cli",
		"AWS: rotate the keys":            "_AWS: rotate the keys",
		"aWs:":                            "_aWs:",
		"_aws:cli":                        "_aws:cli",
		"aws cli":                         "aws cli",
		"by aws:cli":                      "by aws:cli",
		"aws：wide":                        "aws_wide",
		"aws:" + strings.Repeat("a", 252): "_aws:" + strings.Repeat("a", 251),
	} {
		if got := Value(in); got != want {
			t.Errorf("Value(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzTags checks that AWS accepts every tag that is rendered, and that Parse
// returns what was rendered.
func FuzzTags(f *testing.F) {
	f.Add("because \"of\" it", 12, int64(1769076930000000000))
	f.Add("12@2026-01-22T10:15:30Z", 1, int64(0))
	f.Add(strings.Repeat("é", 300), -1, int64(-1))
	f.Add("AWS: rotate the keys", 0, int64(0))
	f.Add("failed", 3, int64(0))
	f.Fuzz(func(t *testing.T, s string, number int, at int64) {
		value, when := Value(s), time.Unix(0, at).UTC()
		e := Entry{Cause: event.Cause{ID: s, Time: when, Source: s, Actor: s, Reason: s}, Previous: s, Restores: s,
			Service: s, CopyOf: number, Rule: Rule{Base: number, Best: Best{Number: number, Time: at},
				Configuration: Configuration{number, number}, Demand: Demand(s), Request: s, Principal: s}}
		n := Note{DeploymentID: s, Outcome: Phase(s), Finished: when, Why: s, RolledBackBy: s}
		tags := map[string]string{}
		for _, tag := range append(e.Tags(), n.Tags()...) {
			if len(tag.Value) > 256 || tag.Value == "" || Value(tag.Value) != tag.Value {
				t.Errorf("tag %q has the value %q", tag.Key, tag.Value)
			}
			if strings.HasPrefix(strings.ToLower(tag.Value), "aws:") {
				t.Errorf("tag %q has the reserved value %q", tag.Key, tag.Value)
			}
			for _, r := range tag.Value {
				if r > 127 ||
					!strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 +-=._:/@",
						r) {
					t.Errorf("tag %q has %q, which AWS rejects", tag.Key, r)
				}
			}
			tags[tag.Key] = tag.Value
		}
		got := Parse(Revision{Tags: tags})
		if inRange := !when.Before(earliest) && when.Year() <= 2200; value == "" || !inRange {
			if diff := cmp.Diff(Record{Foreign: true}, got); diff != "" {
				t.Error(diff)
			}
			return
		}
		phase := parsePhase(value)
		if phase == "" {
			phase = Impaired // there is a reason, and no end
		}
		want := Record{
			Cause:    event.Cause{ID: value, Time: when, Source: value, Actor: value, Reason: value},
			Previous: value, Restores: value, DeploymentID: value, Outcome: phase, Why: value,
			RolledBackBy: value,
			Finished:     when.Truncate(time.Second), CopyOf: got.CopyOf, Rule: got.Rule,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if n := got.Rule; n.Base < 0 || n.Base >= maxNumber || n.Best.Number > n.Base || got.CopyOf >= maxNumber {
			t.Errorf("out of range: %+v", n)
		}
		if number > 0 && number < maxNumber && got.Rule.Base != number {
			t.Errorf("base %d, want %d", got.Rule.Base, number)
		}
		if best := ParseBest(s); best != (Best{}) && ParseBest(best.String()) != best {
			t.Errorf("ParseBest(%q) = %v, which is not read back", s, best)
		}
	})
}
