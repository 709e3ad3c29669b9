package resolve

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestShared checks that equal calls at the same time are made once, that different and
// later ones are not shared, and that no call fails because another's context ended.
func TestShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const took = time.Second
		var s shared[string]
		var made atomic.Int32
		call := func(ctx context.Context, key string) (string, error) {
			return s.do(ctx, key, func() (string, error) {
				made.Add(1)
				select {
				case <-time.After(took):
				case <-ctx.Done():
				}
				return "of " + key, ctx.Err()
			})
		}
		check := func(name string, ctx context.Context, key string, want error) {
			if got, err := call(ctx, key); got != "of "+key || !errors.Is(err, want) {
				t.Errorf("%s: %q, %v, want %v", name, got, err, want)
			}
		}
		for range 10 {
			go check("equal", t.Context(), "a", nil)
		}
		go check("other", t.Context(), "b", nil)
		time.Sleep(2 * took)
		if n := made.Load(); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
		check("later", t.Context(), "a", nil)
		if n := made.Load(); n != 3 {
			t.Errorf("%d calls, want 3", n)
		}
		short, cancel := context.WithTimeout(t.Context(), took/2)
		defer cancel()
		go check("ended", short, "a", context.DeadlineExceeded)
		synctest.Wait()
		check("joined one that ended", t.Context(), "a", nil)
		if n := made.Load(); n != 5 {
			t.Errorf("%d calls, want 5", n)
		}
	})
}
