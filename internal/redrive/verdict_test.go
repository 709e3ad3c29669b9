package redrive

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsdeploy"
	"deployer/internal/event"
	"deployer/internal/pipeline"
)

// TestEveryVerdict checks what stays in the queue of each verdict whose event deployed
// nothing: what asked for a deployment, and what can never be carried out. A rollout event,
// a change of configuration to which no revision refers, and the like are done.
func TestEveryVerdict(t *testing.T) {
	t.Parallel()
	ignored := func(context.Context, json.RawMessage) (pipeline.Result, error) {
		return pipeline.Result{EventID: "e1", Status: ecsdeploy.Ignored, Reason: "because"}, nil
	}
	got := map[event.Verdict]string{}
	for _, v := range event.Verdicts {
		report := (&run{}).carryOut(t.Context(), Item{}, Message{}, event.Reading{ID: "e1", Verdict: v}, ignored)
		switch {
		case report.Never():
			got[v] = "never"
		case report.Err != nil:
			got[v] = "kept"
		case report.Handled:
			got[v] = "handled"
		}
	}
	want := map[event.Verdict]string{event.Accepted: "kept", event.Ignored: "never", event.Rejected: "never",
		event.Due: "handled", event.Followed: "handled", event.Ran: "handled", event.Changed: "handled"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	deployed := func(context.Context, json.RawMessage) (pipeline.Result, error) {
		return pipeline.Result{EventID: "e1", Status: ecsdeploy.Deployed,
			Deployments: []ecsdeploy.Deployment{{Service: "backend", Status: ecsdeploy.Deployed}}}, nil
	}
	changed := event.Reading{ID: "e1", Verdict: event.Changed}
	if r := (&run{}).carryOut(t.Context(), Item{}, Message{}, changed, deployed); r.Handled || r.Err != nil {
		t.Errorf("a change that redeploys: %+v", r)
	}
}
