package outcome

import (
	"encoding/json"
	"strings"
	"testing"

	"deployer/internal/environment"
	"deployer/internal/event"
)

// TestOriginalEvent checks how an outcome holds the original event.
func TestOriginalEvent(t *testing.T) {
	t.Parallel()
	const huge = 4 << 20
	for _, tt := range []struct{ name, event, want string }{
		{"none", "", ``},
		{"an object", "\n{ \"a\": [1, \"<&>\"] }\n", `{"a":[1,"<&>"]}`},
		{"cut off", `{"a":`, `"{\"a\":"`},
		{"no object", `[1]`, `"[1]"`},
		{"two", `{}{}`, `"{}{}"`},
		{"not UTF-8", "{\"a\":\"\xff\"}", "{\"a\":\"\uFFFD\"}"},
		{"huge", `{"a":"` + strings.Repeat("x", huge) + `"}`,
			`"left out: the event has 4194312 bytes, the maximum in an outcome is 196608"`},
		{"huge once it is text", strings.Repeat("\x01", 100<<10),
			`"left out: the event has 614402 bytes, the maximum in an outcome is 196608"`},
		{"deep", strings.Repeat(`{"a":`, 950) + "1" + strings.Repeat("}", 950),
			`"` + strings.Repeat(`{\"a\":`, 950) + "1" + strings.Repeat("}", 950) + `"`},
		{"brackets in a text", `{"a":"` + strings.Repeat(`\"[{`, 1000) + `"}`,
			`{"a":"` + strings.Repeat(`\"[{`, 1000) + `"}`},
	} {
		if got := string(embed(json.RawMessage(tt.event))); got != tt.want {
			t.Errorf("%s: %.200s, want %.200s", tt.name, got, tt.want)
		}
	}
}

// TestSize checks that three outcomes of the largest size fit into one call.
func TestSize(t *testing.T) {
	t.Parallel()
	o := base(t)
	long := strings.Repeat("\x01", 1<<20) // each character is six bytes as JSON
	for _, s := range []*string{&o.Service, &o.Cluster, &o.Tag, &o.Cause.ID, &o.Cause.Source, &o.Image.Before,
		&o.Image.After, &o.Cause.Actor, &o.Cause.Reason, &o.ECSReason, &o.Problem} {
		*s = long
	}
	o.Event = json.RawMessage(`{"a":"` + strings.Repeat("x", maxEvent-8) + `"}`)
	o, err := Rejected(o)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Event) != maxEvent {
		t.Errorf("%d bytes of the event are left", len(o.Event))
	}
	const maxCall, rest = 1 << 20, 4 << 10 // bytes of one PutEvents, and of all but the details
	if n := len(o.Detail()); n*3 > maxCall-rest {
		t.Errorf("the detail has %d bytes", n)
	}
}

// TestUnknownVersion checks the texts about a rollback of which no image is known.
func TestUnknownVersion(t *testing.T) {
	t.Parallel()
	for _, end := range []func(Outcome) (Outcome, error){Rejected, Failed} {
		o := New(prod(t), environment.Workload{})
		o.Service, o.Problem, o.Cause, o.Time = "worker, web-api", "no", event.Cause{ID: "e", Time: asked}, asked
		o.Event = []byte(`{}`)
		o, err := end(o)
		if err != nil {
			t.Fatal(err)
		}
		word := map[Kind]string{DeploymentRejected: "was rejected", DeploymentFailed: "failed"}[o.Kind]
		sentence := "deployment to worker, web-api of myproject in prod " + word + ": no"
		if got := o.sentence(); got != sentence {
			t.Errorf("%s, want %s", got, sentence)
		}
		if title := "prod: deployment to worker, web-api " + word; !strings.HasSuffix(o.Title(), " "+title) {
			t.Errorf("%s, want %s", o.Title(), title)
		}
	}
}
