package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/cloud"
	"deployer/testbed/lambdahost"
)

// readOnly matches the operations that change nothing.
var readOnly = regexp.MustCompile(`^(BatchGet|Describe|Get|List)`)

// deadly is AWS for a function that has one process at a time. It carries out one call after the other, and kills the
// process after one of them.
type deadly struct {
	aws http.Handler

	mu      sync.Mutex
	pid     int
	dead    bool   // until the next process begins
	trace   string // of the attempt that makes the calls
	victim  string // the attempt that is killed; "" before its first call
	left    int    // calls until it is killed; 0 for never
	first   bool   // the next call is its first
	pending int    // revisions that it registered, and did not move anything to
	last    string // its last operation
}

// newDeadly starts a scenario whose function of prod has one process, which can be killed, and is retried by Lambda or
// not.
func newDeadly(t *testing.T, retries bool) (*scenario, *deadly) {
	t.Helper()
	d := &deadly{}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	s := newHostedScenario(t, notifyingFiles(t, ""), 4*time.Hour, func(env string, o *lambdahost.Options) {
		if env == "prod" {
			emulated, err := url.Parse(o.Env["AWS_ENDPOINT_URL"])
			must(t, err)
			d.aws, o.Env["AWS_ENDPOINT_URL"] = httputil.NewSingleHostReverseProxy(emulated), server.URL
			if o.Concurrency, o.Initialized = 1, d.began; !retries {
				o.RetryWaits = []time.Duration{}
			}
		}
	})
	return s, d
}

// arm kills the process after some calls of the next attempt, which take effect.
func (d *deadly) arm(calls int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left, d.trace, d.victim, d.first, d.pending, d.last = calls, "", "", true, 0, ""
}

// disarm returns whether the process was killed.
func (d *deadly) disarm() (killed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	killed, d.left = d.left == 0, 0
	return killed
}

// began is called when a process asks for its first invocation.
func (d *deadly) began(pid int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pid, d.dead = pid, false
}

// ServeHTTP carries out a call. A process that died makes no more calls.
func (d *deadly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead || r.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	if trace := r.Header.Get("X-Amzn-Trace-Id"); trace != "" { // calls without the SDK have none
		d.trace = trace
		if d.victim == "" {
			d.victim = trace
		}
	}
	if d.left == 0 || d.trace != d.victim {
		d.aws.ServeHTTP(w, r)
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	isRead := r.Method == http.MethodGet || readOnly.MatchString(operation) // scheduler's calls have a method
	if !everyCase && isRead && !d.first {
		d.aws.ServeHTTP(w, r)
		return
	}
	d.last, d.first = operation, false
	switch {
	case d.last == "RegisterTaskDefinition":
		d.pending++
	case d.last == "UpdateService", r.Method == http.MethodPut: // a schedule
		d.pending--
	}
	if d.left--; d.left > 0 {
		d.aws.ServeHTTP(w, r)
		return
	}
	d.aws.ServeHTTP(httptest.NewRecorder(), r)
	d.dead = true
	if p, err := os.FindProcess(d.pid); err == nil {
		_ = p.Kill()
	}
	panic(http.ErrAbortHandler)
}

// TestSeveralDeaths kills the function's process after each call for an event of several workloads. Outside
// `make test-slow` only after the first one and after each that changes something: a death after a read leaves what a
// death after the call before it leaves. Lambda's retry, or if there is none, a further delivery by EventBridge, does
// only what is not done: a workload is registered again only if the process died between its registration and its move,
// because no delivery moves a service to the revision of another one. Each further delivery changes nothing.
func TestSeveralDeaths(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		services string
		push     []string // services that are deployed
		tasks    []string // tasks that are
		retries  bool     // of Lambda
		calls    int      // at least, of a process that is not killed
		writes   int      // at least, with the first call
	}{
		"named":                 {`["worker","web-api"]`, []string{"web-api", "worker"}, nil, false, 10, 5},
		"all that have the tag": {`"*"`, []string{"backend", "worker"}, []string{"nightly-report"}, true, 15, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := newDeadly(t, tt.retries)
			all := slices.Clone(tt.push)
			for _, task := range tt.tasks {
				all = append(all, "task:"+task)
			}
			slices.Sort(all)
			calls, failed := 0, 0
			for killed := true; killed; {
				calls++
				tag := fmt.Sprintf("v%d", calls+1)
				s.pushAll(t, tag, tt.push...)
				s.pushTasks(t, tag, tt.tasks...)
				s.aws.ResetCalls()
				s.logs.reset()
				event := []byte(deployEventAt(s.clock.Now(), "e-"+tag, "action.production",
					`{"services":`+tt.services+`,"tag":"`+tag+`"}`))
				d.arm(calls)
				_, err := s.cloud.Functions["prod"].InvokeAsync(event)
				must(t, err)
				must(t, s.cloud.Settle(t.Context()))
				if killed = d.disarm(); killed && !tt.retries {
					failed++
					s.invoke(t, event)
				}
				s.advance(t, 4*rolloutStep)
				s.checkDeath(t, all, tag, d.pending, killed && d.last == "PutEvents")
				if kept := s.kept(t); len(kept) != failed {
					t.Errorf("call %d: kept %d, want %d", calls, len(kept), failed)
				}
				before := s.moves()
				again := s.invoke(t, event)
				if n := strings.Count(again, `"reason":"this event was carried out before"`); n != len(all) ||
					s.moves() != before {
					t.Errorf("call %d: delivered again: %s, was %s: %s", calls, s.moves(), before, again)
				}
				if t.Failed() {
					t.Fatalf("call %d, the log:\n%s", calls, s.logs)
				}
			}
			if !everyCase {
				tt.calls = tt.writes
			}
			if calls <= tt.calls {
				t.Errorf("the function made %d calls, want at least %d", calls-1, tt.calls)
			}
		})
	}
}

// checkDeath checks that all workloads of an event run its tag, and how they got there: pending is how many were
// registered again. If the process died after it had published that a task was moved, that is published again: outcomes
// come at least once.
func (s *scenario) checkDeath(t *testing.T, all []string, tag string, pending int, published bool) {
	t.Helper()
	var want, runs []string
	services := 0
	for _, name := range all {
		ends := "Started Succeeded"
		switch task := strings.HasPrefix(name, "task:"); {
		case !task:
			services++
		case published:
			ends = "Succeeded Succeeded"
		default:
			ends = "Succeeded"
		}
		want = append(want, name+" "+tag+": "+ends)
		runs = append(runs, name+" "+tag)
	}
	slices.Sort(want)
	ends, _ := s.ends(t)
	if diff := cmp.Diff(want, ends); diff != "" {
		t.Errorf("%s: published (-want +got):\n%s", tag, diff)
	}
	moves := fmt.Sprintf("%d registered, %d moved, %d schedules", len(all)+pending, services, len(all)-services)
	if got := s.moves(); got != moves {
		t.Errorf("%s: %s, want %s", tag, got, moves)
	}
	var got []string
	for _, name := range all {
		got = append(got, name+" "+s.tagOf(t, name))
	}
	if diff := cmp.Diff(runs, got); diff != "" {
		t.Errorf("%s: runs (-want +got):\n%s", tag, diff)
	}
}

// tagOf returns the tag of the image that a service of prod runs, or that a task's schedule starts.
func (s *scenario) tagOf(t *testing.T, name string) string {
	t.Helper()
	var out *ecs.DescribeTaskDefinitionOutput
	var err error
	if task, ok := strings.CutPrefix(name, "task:"); ok {
		raw, readErr := s.prod.ReadSchedule(t.Context(), cloud.ScheduleGroupOf(task, "prod"),
			cloud.ScheduleOf(task, "prod"))
		must(t, readErr)
		_, arn, _ := strings.Cut(string(raw), `"TaskDefinitionArn":"`)
		arn, _, _ = strings.Cut(arn, `"`)
		out, err = s.prod.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
			TaskDefinition: aws.String(arn), Include: []ecstypes.TaskDefinitionField{ecstypes.TaskDefinitionFieldTags}})
	} else {
		out, err = s.prod.Runs(t.Context(), prodCluster, cloud.ServiceName(name, "prod"))
	}
	must(t, err)
	for _, tag := range out.Tags {
		if aws.ToString(tag.Key) == "deployer:tag" {
			return aws.ToString(tag.Value)
		}
	}
	return ""
}
