package ecsdeploy

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/ecsservice"
	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestCrowd checks that many deliveries of different events that all read before any
// registered end on the newest event's image, in any order.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const crowd = 40
	for _, tt := range []struct {
		name     string
		newest   int // its place in the order of the registrations
		together bool
	}{{"newest first", 0, false}, {"newest in the middle", 20, false}, {"in one process", 7, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var all sync.WaitGroup
			shared := w.deployer()
			var ready sync.WaitGroup
			ready.Add(crowd)
			turn := make([]chan struct{}, crowd+1)
			for i := range turn {
				turn[i] = make(chan struct{})
			}
			for i := range crowd {
				o := w.event(t, "e", (i*17)%crowd, "v")
				o.Cause.ID = o.Cause.Time.String()
				if i == tt.newest {
					o = w.event(t, "newest", crowd, "newest")
				}
				d := w.deployer()
				if tt.together {
					d = shared
				} else {
					d.ecs = &between{writer: d.ecs, beforeRegister: func() { ready.Done(); <-turn[i] },
						beforeUpdate: func() {}}
				}
				s, err := d.Read(t.Context(), target)
				must(t, err)
				all.Go(func() {
					if _, err := d.Deploy(t.Context(), s, o); err != nil {
						t.Error(err)
					}
				})
			}
			if !tt.together {
				ready.Wait()
				for i := range crowd {
					close(turn[i])
				}
			}
			all.Wait()
			newest := w.event(t, "newest", crowd, "newest")
			if !strings.HasSuffix(w.image(t), newest.Image.Digest) {
				t.Errorf("it runs %s", w.image(t))
			}
			moves := 0
			for _, c := range w.Calls() {
				if c.Operation == "UpdateService" {
					moves++
				}
			}
			t.Logf("%d moves", moves)
			if moves > crowd {
				t.Errorf("%d moves", moves)
			}
		})
	}
}

// newInstantWorld returns a world on fake time, ten minutes after its service was created,
// and a deployer.
func newInstantWorld(t *testing.T) (*world, *Deployer) {
	t.Helper()
	began := time.Now()
	clock := func() time.Time { return eventTime.Add(time.Since(began)) }
	e := emulator.New(emulator.Options{Clock: clock, RolloutStep: time.Second})
	w := &world{Emulator: e, Account: accounts.Connect("http://aws.invalid", "111111111111", "us-east-1").
		With(func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: e} })}
	must(t, w.Cluster(t.Context(), "c"))
	_, err := w.Service(t.Context(), "c", target.Service, host+"/p_service_web:v0")
	must(t, err)
	time.Sleep(10 * time.Minute)
	d := New(ecsservice.New(w.Config))
	d.now = clock
	return w, d
}

// slow is an HTTP client whose calls take long. A call is carried out at its end.
type slow struct {
	emulatortest.InProcess
	delay time.Duration
}

func (s slow) Do(r *http.Request) (*http.Response, error) {
	time.Sleep(s.delay)
	return s.InProcess.Do(r)
}

// TestSlowAnswers checks that what happens while ECS answers slowly is not overwritten, and
// that a deployment ends even if every answer is slow.
func TestSlowAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		delay        time.Duration
		person       bool // moves the service meanwhile
		want         Status
		calls, moves int // of the deployer
	}{
		{"a person moves the service", 5 * time.Second, true, Superseded, 5, 0},
		{"nothing happens", 5 * time.Second, false, Deployed, 11, 1},
		{"fast answers", time.Millisecond, false, Deployed, 5, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, _ := newInstantWorld(t)
				o := w.event(t, "e", 600, "v2")
				w.ResetCalls()
				answers := slow{emulatortest.InProcess{AWS: w.Emulator}, tt.delay}
				d := New(ecsservice.New(w.With(func(c *aws.Config) { c.HTTPClient = answers }).Config))
				s, err := d.Read(t.Context(), target)
				must(t, err)
				calls := len(w.Calls())
				if tt.person {
					w.register(t, target.Family, host+"/p_service_web:v0.1")
					w.move(t, fmt.Sprint(w.newest(t)))
				}
				time.Sleep(tt.delay)
				w.ResetCalls()
				got, err := d.Deploy(t.Context(), s, o)
				made, moves := w.Calls(), 0
				for _, c := range made {
					if c.Operation == "UpdateService" {
						moves++
					}
				}
				if err != nil || got.Status != tt.want || moves != tt.moves {
					t.Errorf("%s, %v, %d moves; want %s, %d moves", got.Status, err, moves, tt.want, tt.moves)
				}
				if calls += len(made); calls != tt.calls {
					t.Errorf("%d calls, want %d", calls, tt.calls)
				}
			})
		})
	}
}

// TestWaits checks that what happens while a deployment is throttled is not overwritten:
// both reads are made again before the next write.
func TestWaits(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ecs:RegisterTaskDefinition", "ecs:UpdateService"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, d := newInstantWorld(t)
				o := w.event(t, "e", 600, "v2")
				w.Inject(emulator.Fault{Operation: operation, Account: "111111111111", Times: 3,
					Error: emulator.ErrThrottled})
				d.ecs = &between{writer: d.ecs}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				ctx = fault.WithJitter(ctx, func(below time.Duration) time.Duration { return below - 1 })
				var person sync.WaitGroup
				person.Go(func() { // the person's own calls are not throttled
					time.Sleep(1500 * time.Millisecond)
					w.ClearFaults()
					w.register(t, target.Family, host+"/p_service_web:v0.1")
					newest := w.newest(t)
					w.move(t, fmt.Sprint(newest))
					w.Inject(emulator.Fault{Operation: operation, Times: 2, Error: emulator.ErrThrottled})
				})
				s, err := d.Read(ctx, target)
				must(t, err)
				got, err := d.Deploy(ctx, s, o)
				person.Wait()
				if err != nil || got.Status != Superseded || w.image(t) != host+"/p_service_web:v0.1" {
					t.Errorf("%+v, %v; it runs %s", got, err, w.image(t))
				}
			})
		})
	}
}
