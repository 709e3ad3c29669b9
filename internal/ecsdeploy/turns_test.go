package ecsdeploy

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bucket is ECS's token bucket of registrations.
type bucket struct {
	mu                    sync.Mutex
	burst, refill, tokens float64
	at                    time.Time
	attempts              int
}

func newBucket(burst, refill float64) *bucket {
	return &bucket{burst: burst, refill: refill, tokens: burst, at: time.Now()}
}

// register takes a token, and reports whether there was one. It takes the given time.
func (b *bucket) register(latency time.Duration) bool {
	time.Sleep(latency)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens, b.at = min(b.burst, b.tokens+b.refill*now.Sub(b.at).Seconds()), now
	b.attempts++
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// latencies returns how long calls take: 80 to 100 ms, drawn from a seed. As no two end
// at the same time, the order in which Go runs the goroutines decides nothing.
func latencies(seed uint64) func() time.Duration {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return 100*time.Millisecond - time.Duration(random.Int64N(int64(20*time.Millisecond)))
	}
}

// registerAll registers n revisions at the same time, and returns how long that takes.
func (t *turns) registerAll(tb testing.TB, b *bucket, n int, latency func() time.Duration) time.Duration {
	begun := time.Now()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for {
				if err := t.enter(tb.Context()); err != nil {
					tb.Error(err)
					return
				}
				if b.register(latency()) {
					t.leave(true)
					return
				}
				if t.throttled() {
					time.Sleep(5 * time.Second) // as a deployment that is alone
				}
			}
		})
	}
	all.Wait()
	return time.Since(begun)
}

// TestTurns checks how long a number of registrations takes, and how many attempts,
// with ECS's token bucket and with others.
func TestTurns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		burst, refill float64
		n             int
		maxTime       time.Duration
		maxAttempts   int
	}{
		{"within the burst", 20, 1, 20, 200 * time.Millisecond, 20},
		{"a crowd", 20, 1, 200, 184 * time.Second, 200 + maxRegistering + 200/trustAfter},
		{"no limit", 1e9, 1, 200, 1300 * time.Millisecond, 200},
		{"a larger burst", 100, 1, 200, 104 * time.Second, 200 + maxRegistering + 100/trustAfter},
		{"a higher rate", 20, 10, 200, 40 * time.Second, 200 + maxRegistering + 200/trustAfter},
		{"a lower rate", 20, 0.25, 60, 200 * time.Second, 150},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, all := newBucket(tt.burst, tt.refill), turns{}
				took := all.registerAll(t, b, tt.n, latencies(1))
				t.Logf("%d attempts in %s", b.attempts, took)
				if took > tt.maxTime || b.attempts > tt.maxAttempts {
					t.Errorf("%d attempts in %s, want at most %d in %s", b.attempts, took, tt.maxAttempts, tt.maxTime)
				}
			})
		})
	}
}

// TestTurnsOfProcesses checks that processes that do not know each other share ECS's
// tokens: four that register 50 revisions each, in 100 different orders. 180 seconds are
// the least. They waste some tokens: when the others have ended, the turns of the last
// process stay rare for a while.
func TestTurnsOfProcesses(t *testing.T) {
	t.Parallel()
	const orders, maxMean, maxTime, maxAttempts = 100, 190 * time.Second, 215 * time.Second, 350
	var mean time.Duration
	for order := range uint64(orders) {
		synctest.Test(t, func(t *testing.T) {
			b := newBucket(20, 1)
			var all sync.WaitGroup
			begun := time.Now()
			for process := range uint64(4) {
				all.Go(func() { new(turns).registerAll(t, b, 50, latencies(4*order+process)) })
			}
			all.Wait()
			took := time.Since(begun)
			mean += took / orders
			if took > maxTime || b.attempts > maxAttempts {
				t.Errorf("order %d: %d attempts in %s, want at most %d in %s", order, b.attempts, took, maxAttempts,
					maxTime)
			}
		})
	}
	if mean > maxMean {
		t.Errorf("they take %s on average, want at most %s", mean, maxMean)
	}
}

// TestTurnsReopen checks that turns come at once again when ECS's bucket is full again.
func TestTurnsReopen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, all := newBucket(20, 1), turns{}
		all.registerAll(t, b, 40, latencies(1))
		time.Sleep(30 * time.Second)
		if took := all.registerAll(t, b, 16, latencies(2)); took > 100*time.Millisecond {
			t.Errorf("it took %s", took)
		}
	})
}

// TestTurnsEnd checks that a deployment whose time ends gives up its place, that an unused
// turn is the next one's, and that turns come in order.
func TestTurnsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all turns
		must(t, all.enter(t.Context()))
		all.throttled() // the next turn comes in more than a second
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := all.enter(ctx); err != context.DeadlineExceeded {
			t.Errorf("%v, want that the time has ended", err)
		}
		begun := time.Now()
		must(t, all.enter(t.Context()))
		if waited := time.Since(begun); waited != registrationInterval*9/8-500*time.Millisecond {
			t.Errorf("the turn came after %s", waited)
		}
		var order []int
		var wait sync.WaitGroup
		for i := range 3 {
			wait.Go(func() {
				if err := all.enter(t.Context()); err != nil {
					t.Error(err)
				}
				order = append(order, i)
				all.leave(false)
			})
			synctest.Wait()
		}
		all.leave(false)
		begun = time.Now()
		wait.Wait()
		if waited := time.Since(begun); waited != 0 || order[0] != 0 || order[1] != 1 || order[2] != 2 {
			t.Errorf("the turns %v came after %s", order, waited)
		}
	})
}
