package histories

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// An attempt is one attempt at one delivery. It makes calls until it ends or dies.
type attempt struct {
	key    string // constant when other actions are dropped
	by     string // "function" or "operator"
	start  time.Time
	kill   *Kill
	cancel context.CancelFunc

	calls int            // so far
	same  map[string]int // calls of the same operation with the same body
	died  bool
	ended bool
	ok    bool // it answered without an error
	end   time.Time
}

type attemptKey struct{}

// attemptOf returns the attempt that makes a call, nil for a person or a tool.
func attemptOf(ctx context.Context) *attempt {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

// draw returns a number below n that depends on the seed and on the parts alone.
func (w *world) draw(n int64, parts ...any) int64 {
	h := fnv.New64a()
	fmt.Fprint(h, w.history.Seed)
	for _, p := range parts {
		fmt.Fprint(h, "\x00", p)
	}
	x := h.Sum64()
	x ^= x >> 33 // FNV mixes its last bytes badly
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return int64(x % uint64(n))
}

// A transport carries the calls of one principal to emulated AWS. Those of the function take time, may fail, and may be
// the last of their attempt.
type transport struct {
	w  *world
	by string // the principal, see move.by
}

var errDied = errors.New("the invocation died")

// Do implements the SDK's HTTP client.
func (t transport) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	a := attemptOf(r.Context())
	if a == nil {
		return t.w.call(r, body, operation, t.by, nil), nil
	}
	w := t.w
	w.mu.Lock()
	key := operation + string(body)
	a.same[key]++
	nth := a.same[key]
	w.mu.Unlock()
	latency := w.latency(a.key, key, nth)
	if err := sleep(r.Context(), latency); err != nil {
		return nil, err
	}
	w.mu.Lock()
	if a.died {
		w.mu.Unlock()
		return nil, errDied
	}
	number := a.calls
	a.calls++
	w.record.calls++
	dies := a.kill != nil && a.kill.Call == number
	w.mu.Unlock()
	if dies && !a.kill.After {
		w.die(a, "before "+operation)
		return nil, errDied
	}
	answer := w.faulty(operation, time.Now())
	if answer == nil {
		answer = w.stale(r, body, operation, a, nth)
	}
	if answer == nil {
		answer = w.call(r, body, operation, t.by, a)
		if w.loses(operation, time.Now()) {
			return nil, io.ErrUnexpectedEOF
		}
	}
	if dies {
		w.die(a, "after "+operation)
		return nil, errDied
	}
	if err := sleep(r.Context(), latency/3); err != nil {
		return nil, err
	}
	return answer, nil
}

// latency returns how long a call of an attempt takes to reach AWS.
func (w *world) latency(parts ...any) time.Duration {
	most := 70 * time.Millisecond
	switch roll := w.draw(1000, append(parts, "class")...); {
	case roll < 10:
		most = 30 * time.Second
	case roll < 100:
		most = 2 * time.Second
	}
	return 8*time.Millisecond + time.Duration(w.draw(int64(most), append(parts, "latency")...))
}

// die ends an attempt.
func (w *world) die(a *attempt, when string) {
	w.mu.Lock()
	a.died = true
	w.mu.Unlock()
	w.record.add(time.Now(), "%s dies %s", a.key, when)
	w.record.mu.Lock()
	w.record.kills++
	w.record.mu.Unlock()
	a.cancel()
}

// call carries out a call and records what it changed.
func (w *world) call(r *http.Request, body []byte, operation, by string, a *attempt) *http.Response {
	if operation == "UpdateService" || operation == "RegisterTaskDefinition" {
		w.remember()
	}
	recorder := w.ask(r, body)
	if recorder.Code == http.StatusOK {
		switch operation {
		case "UpdateService":
			w.recordMove(recorder.Body.Bytes(), by, a)
		case "RegisterTaskDefinition":
			w.recordRegistration(recorder.Body.Bytes(), by)
		case "PutEvents":
			w.recordOutcomes(body, a)
		}
	}
	return recorder.Result()
}

// ask answers a request by emulated AWS.
func (w *world) ask(r *http.Request, body []byte) *httptest.ResponseRecorder {
	clone := r.Clone(context.Background())
	clone.Body = io.NopCloser(bytes.NewReader(body))
	recorder := httptest.NewRecorder()
	w.aws.ServeHTTP(recorder, clone)
	return recorder
}

// sleep waits, until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A disturbance is a fault that is active for a while.
type disturbance struct {
	kind      Kind
	operation string
	until     time.Time
}

// active returns the fault of an operation.
func (w *world) active(operation string, at time.Time, kinds ...Kind) *disturbance {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, f := range w.faults {
		for _, k := range kinds {
			if f.kind == k && f.operation == operation && at.Before(f.until) {
				return &w.faults[i]
			}
		}
	}
	return nil
}

// faulty returns the answer of a fault, nil if the call is carried out.
func (w *world) faulty(operation string, at time.Time) *http.Response {
	f := w.active(operation, at, Throttle, Deny)
	if f == nil {
		return nil
	}
	text := map[string]string{"__type": "ThrottlingException", "message": "Rate exceeded"}
	if f.kind == Deny {
		text = map[string]string{
			"__type": "AccessDeniedException",
			"message": "User: " + functionARN + " is not authorized to perform: ecs:" + operation +
				" on resource: * because no identity-based policy allows the ecs:" + operation + " action",
		}
	}
	body, _ := json.Marshal(text) // strings always encode
	return respond(http.StatusBadRequest, body)
}

func respond(status int, body []byte) *http.Response {
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/x-amz-json-1.1")
	recorder.WriteHeader(status)
	recorder.Body.Write(body)
	return recorder.Result()
}

// loses reports whether the answer of a call is lost.
func (w *world) loses(operation string, at time.Time) bool {
	return w.active(operation, at, LoseAnswers) != nil
}

// A reading is the last request of a kind, and what it would have been answered before the last write.
type reading struct {
	request *http.Request
	body    []byte
	before  []byte
	until   time.Time // when reads are exact again
}

// remember keeps the answers of all reads as they are before a write.
func (w *world) remember() {
	if w.history.StaleFor == 0 {
		return
	}
	w.mu.Lock()
	all := make([]*reading, 0, len(w.readings))
	for _, r := range w.readings {
		all = append(all, r)
	}
	w.mu.Unlock()
	for _, r := range all {
		answer := w.ask(r.request, r.body)
		w.mu.Lock()
		r.before, r.until = nil, time.Now().Add(w.history.StaleFor)
		if answer.Code == http.StatusOK {
			r.before = answer.Body.Bytes()
		}
		w.mu.Unlock()
	}
}

// stale returns an answer that is one write behind, nil if the read is exact.
func (w *world) stale(r *http.Request, body []byte, operation string, a *attempt, nth int) *http.Response {
	read := operation == "DescribeServices" ||
		operation == "DescribeTaskDefinition" && !numbered.Match(body)
	if w.history.StaleFor == 0 || !read || w.healed.Load() {
		return nil
	}
	key := operation + string(body)
	w.mu.Lock()
	known := w.readings[key]
	if known == nil {
		known = &reading{request: r.Clone(context.Background()), body: body}
		w.readings[key] = known
	}
	before, until := known.before, known.until
	w.mu.Unlock()
	if before == nil || !time.Now().Before(until) || w.draw(2, a.key, key, nth, "stale") == 0 {
		return nil
	}
	w.record.add(time.Now(), "%s reads one write behind: %s", a.key, operation)
	return respond(http.StatusOK, before)
}
