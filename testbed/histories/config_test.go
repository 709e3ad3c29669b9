package histories

import (
	"testing"
	"time"
)

// TestRolledOut checks which configuration a service has to run, given what was registered and asked for.
func TestRolledOut(t *testing.T) {
	t.Parallel()
	const family = "p_service_s0_dev"
	for _, tt := range []struct {
		name   string
		kind   Kind
		runs   string   // the configuration
		before []string // the configurations that Terraform registered before the event
		after  []string
		want   bool
	}{
		{"rolled out", Deploy, "1", []string{"1"}, nil, true},
		{"not rolled out", Deploy, "0", []string{"1"}, nil, false},
		{"a redeployment did not", Redeploy, "0", []string{"1"}, nil, false},
		{"an older one of two", DeployCommand, "1", []string{"1", "2"}, nil, false},
		{"one that was registered meanwhile", Deploy, "2", []string{"1"}, []string{"2"}, true},
		{"a push", Push, "0", []string{"1"}, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newRecord(false, map[int]string{60: "s0/v1"})
			start := w.record.events["s0/v1"].at.Add(-time.Minute)
			w.record.events["s0/v1"].action.Kind, w.record.events["s0/v1"].push = tt.kind, tt.kind == Push
			register := func(second int, config string) {
				w.record.registered = append(w.record.registered, registration{by: "terraform", config: config,
					at: start.Add(time.Duration(second) * time.Second), revision: family + ":1"})
			}
			register(0, "0")
			for i, config := range tt.before {
				register(10+i, config)
			}
			for i, config := range tt.after {
				register(61+i, config)
			}
			w.checkRolledOut(0, registration{image: "s0/v1", config: tt.runs})
			if got := len(w.problems) == 0; got != tt.want {
				t.Errorf("%v, want %v: %v", got, tt.want, w.problems)
			}
		})
	}
}
