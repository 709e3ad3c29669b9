package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestReserve checks the deadlines that leave time for the answer and for
// publishing.
func TestReserve(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "prod")
	for _, tt := range []struct {
		name       string
		left, want time.Duration // until the deadline; 0 for none
		p          *Pipeline
	}{
		{"long", time.Minute, time.Minute - notifyReserve, f.function()},
		{"short", 8 * time.Second, 6 * time.Second, f.function()},
		{"none", 0, 0, f.function()},
		{"a redrive", time.Minute, time.Minute - notifyReserve, NewRedrive(f.env, f.accounts["prod"].Config)},
		{"nothing to publish", time.Minute, time.Minute, New(f.env, f.accounts["prod"].Config)},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			if tt.left > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.left)
				defer cancel()
			}
			working, cancel := tt.p.withNotifyReserve(ctx)
			defer cancel()
			got := time.Duration(0)
			if end, ok := working.Deadline(); ok {
				got = time.Until(end)
			}
			if got != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		})
	}
}
