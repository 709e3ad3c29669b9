package logs

import (
	"testing"
	"time"
)

// TestDecision checks which lines are decisions.
func TestDecision(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, decision, why string }{
		{`{"message":"deployment deployed","event_id":"e1","reason":"it is moved"}`, "deployed", "it is moved"},
		{`{"message":"deployment failed","event_id":"e1","error":"denied"}`, "failed", "denied"},
		{`{"message":"event ignored","event_id":"e1","reason":"no tag deploys"}`, "ignored", "no tag deploys"},
		{`{"message":"event rejected","event_id":"e1","reason":"no service"}`, "rejected", "no service"},
		{`{"message":"event ignored"}`, "", ""},
		{`{"message":"outcome published","event_id":"e1","summary":"it runs"}`, "", "it runs"},
		{`{"message":"event of another kind","event_id":"e1"}`, "", ""},
	} {
		e, ok := Parse(Line{time.Unix(1, 0), tt.line})
		if !ok || e.Decision() != tt.decision || e.Why() != tt.why || !e.At.Equal(time.Unix(1, 0)) {
			t.Errorf("%s: %+v, %q", tt.line, e, e.Decision())
		}
	}
	for _, line := range []string{"", "START RequestId: 1", "{}", "[1]", `{"message":7}`} {
		if e, ok := Parse(Line{Text: line}); ok {
			t.Errorf("%q: %+v", line, e)
		}
	}
}

// FuzzParse checks that no line is too odd.
func FuzzParse(f *testing.F) {
	f.Add(`{"message":"deployment deployed","event_id":"e1"}`)
	f.Fuzz(func(t *testing.T, line string) {
		if e, ok := Parse(Line{Text: line}); ok && e.Message == "" {
			t.Errorf("%q has no message", line)
		}
	})
}
