package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
)

// TestAllOfMany checks how many workloads an event for all that have the tag may have: those that do not have it do
// not count.
func TestAllOfMany(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		have, lack int
		want       string // the reason, "" if none is rejected
	}{
		{event.MaxServices, 3, ""},
		{event.MaxServices + 1, 3, `the repositories of 51 workloads have the tag "v2", and one event deploys at ` +
			`most 50: name them in "services", in several events`},
		{0, 2, `no repository has the tag "v2": r0, r1`},
	} {
		var all together
		for i := range tt.lack + tt.have {
			one := &prepared{ready: true, request: event.Request{Tag: "v2", Optional: true,
				Workload: environment.Workload{Repository: fmt.Sprint("r", i)}}}
			if i < tt.lack {
				one = one.ended(ecsdeploy.Deployment{Status: ecsdeploy.Ignored}, nil)
			}
			all.all = append(all.all, one)
		}
		all.limit()
		rejected := 0
		for _, one := range all.all {
			if one.isRejected() && one.result.Reason == tt.want {
				rejected++
			}
		}
		want := 0
		if tt.want != "" {
			want = len(all.all)
		}
		if rejected != want {
			t.Errorf("%d have it: %d are rejected, want %d: %s", tt.have, rejected, want,
				strings.TrimSpace(all.all[0].result.Reason))
		}
	}
}
