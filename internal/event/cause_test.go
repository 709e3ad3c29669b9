package event

import (
	"encoding/json"
	"testing"
	"time"
)

// TestCauseJSON pins the members that a cause adds to the JSON of the outcomes
// and records that embed it, and that unknown ones are left out.
func TestCauseJSON(t *testing.T) {
	t.Parallel()
	type record struct {
		Before int `json:"before"`
		Cause
		After int `json:"after"`
	}
	full := Cause{ID: "e1", Time: time.Date(2026, 1, 22, 10, 15, 30, 0, time.UTC), Actor: "ada",
		Source: "action.production", Reason: "fix"}
	for want, cause := range map[string]Cause{
		`{"before":1,"event_id":"e1","event_time":"2026-01-22T10:15:30Z","actor":"ada","source":"action.production",` +
			`"reason":"fix","after":2}`: full,
		`{"before":1,"after":2}`: {},
	} {
		got, err := json.Marshal(record{1, cause, 2})
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v\nwant %s", got, err, want)
		}
	}
}
