package rollout

import (
	"strings"
	"testing"

	"deployer/internal/journal"
)

// TestStoppedNote checks that the journal keeps what matters of ECS's long texts.
func TestStoppedNote(t *testing.T) {
	t.Parallel()
	ref := host + "/web@sha256:" + strings.Repeat("0123456789abcdef", 4)
	nested := strings.Replace(ref, "/web", "/"+strings.Repeat("team/", 20)+"web", 1)
	for _, tt := range []struct {
		name    string
		reasons []string
		want    string
	}{
		{"none", nil, ""},
		{"an image that cannot be pulled", []string{"CannotPullContainerError: pull image manifest has been retried " +
			"7 time(s): failed to resolve ref " + ref + ": " + ref + ": not found (3 tasks)"},
			"CannotPullContainerError: pull image manifest has been retried 7 times: failed to resolve ref " +
				"web@sha256:0123456789ab: web@sha256:0123456789ab: not found - 3 tasks"},
		{"a long name", []string{"CannotPullContainerError: pull image manifest has been retried 7 time(s): failed " +
			"to resolve ref " + nested + ": " + nested + ": not found (3 tasks)"},
			"CannotPullContainerError: pull image manifest has been retried 7 times: failed to resolve ref " +
				strings.Repeat("team/", 15) + "..." + strings.Repeat("team/", 8) +
				"web@sha256:0123456789ab: not found - 3 tasks"},
		{"two", []string{"a; b", "c"}, "a - b - c"},
	} {
		if got := stoppedNote(tt.reasons); got != tt.want || journal.Value(got) != got {
			t.Errorf("%s: %q, want %q, as a tag %q", tt.name, got, tt.want, journal.Value(got))
		}
	}
}

// TestImpairedForJournal checks that the journal keeps why a rollout is impaired as it is said elsewhere.
func TestImpairedForJournal(t *testing.T) {
	t.Parallel()
	for _, why := range []string{impairedWithBreaker, impairedForever} {
		if got := journal.Value(why); got != why {
			t.Errorf("%q is %q in a journal", why, got)
		}
	}
}
