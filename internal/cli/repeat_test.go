package cli

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/logs"
	"deployer/internal/redrive"
)

// TestDecisionsInQueue checks which decisions a message in the failure queue marks, and with which of them its reason
// is shown.
func TestDecisionsInQueue(t *testing.T) {
	t.Parallel()
	entry := func(id, service, decision, reason string) logs.Entry {
		return logs.Entry{EventID: id, Service: service, Message: "deployment " + decision, Reason: reason}
	}
	entries := []logs.Entry{
		entry("several", "worker", "rejected", "not deployed"), entry("several", "web-api", "rejected", "no image"),
		entry("partly", "worker", "deployed", "moving"), entry("partly", "web-api", "failed", "denied"),
		entry("one", "backend", "rejected", "no image"),
		entry("unlike", "backend", "rejected", "x"), entry("unlike", "worker", "rejected", "y"),
		entry("done", "backend", "deployed", "moving"),
	}
	var queued []queuedMessage
	for _, m := range []redrive.Item{
		{EventID: "several", Service: "worker, web-api", Why: "no image"},
		{EventID: "partly", Service: "worker, web-api"},
		{EventID: "one", Service: "backend"}, {EventID: "unlike", Service: "myproject_backend"}, {EventID: "done"}, {},
	} {
		queued = append(queued, queuedMessage{Queue: "failed", Item: m})
	}
	decisions, rest := decisionsOf(entries, queued)
	var got []string
	for _, d := range decisions {
		got = append(got, fmt.Sprintf("%s %s: %s: %s", d.EventID, d.Service, d.cell().text, d.why()))
	}
	want := []string{
		"several worker: rejected, in queue: not deployed; failed queue, : no image",
		"several web-api: rejected, in queue: no image",
		"partly worker: deployed: moving",
		"partly web-api: failed, in queue: denied; failed queue, ",
		"one backend: rejected, in queue: no image; failed queue, ",
		"unlike backend: rejected, in queue: x; failed queue, ",
		"unlike worker: rejected: y",
		"done backend: deployed: moving",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(rest) != 2 || rest[0].EventID != "done" || rest[1].EventID != "" {
		t.Errorf("%+v remain", rest)
	}
}
