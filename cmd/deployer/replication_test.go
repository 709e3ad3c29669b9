package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// replicated is a line of section deployer: images come by replication.
const replicated = "  replicated: true\n"

// TestDeployBeforeTheImage sends DEPLOY events to the real bootstrap before their images are there. Only AWS's clock
// can be advanced, so the events are as old as the step of the wait that is tested; [TestWaiting] has a whole wait.
func TestDeployBeforeTheImage(t *testing.T) {
	t.Parallel()
	s := newScenarioWith(t, replicated, time.Hour)
	s.clock.Advance(s.start.Sub(s.clock.Now()))
	old := s.start.Add(-12 * time.Minute)
	s.sendAt(t, old, deployTo("v2"))
	s.sendAt(t, old.Add(time.Second), `{"service":"web-api","tag":"v2"}`)
	s.sendAt(t, s.start.Add(-31*time.Minute), `{"service":"worker","tag":"v9"}`)
	want := []time.Time{old.Add(15 * time.Minute), old.Add(15*time.Minute + time.Second)}
	if diff := cmp.Diff(want, s.aws.Scheduled(), cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Fatalf("%s\n%s", diff, s.logs)
	}
	s.push(t, "v2")
	for _, tag := range []string{"v2", "v3"} {
		_, err := s.dev.Push(t.Context(), "myproject_service_web-api", "web "+tag, tag)
		must(t, err)
	}
	s.send(t, `{"service":"web-api","tag":"v3"}`) // newer than the one that waits
	s.clock.Advance(5 * time.Minute)
	s.advance(t, 8*rolloutStep)
	if pending := s.aws.Scheduled(); len(pending) > 0 {
		t.Errorf("schedules are left: %v", pending)
	}
	got := map[string]string{}
	for _, e := range s.outcomes(t) {
		key := fmt.Sprint(e.outcome["service"], " ", e.outcome["tag"])
		got[key] = strings.TrimSpace(got[key] + " " + strings.TrimPrefix(e.DetailType, "Deployment "))
	}
	if diff := cmp.Diff(map[string]string{"backend v2": "Started Succeeded", "web-api v3": "Started Succeeded",
		"web-api v2": "Superseded", "worker v9": "Rejected"}, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s\n%s", diff, s.logs)
	}
	if diff := cmp.Diff([]string{"Deployment Rejected"}, s.kept(t)); diff != "" {
		t.Errorf("kept:\n%s", diff)
	}
	if lines := s.logs.lines(t, "deployment waiting"); len(lines) != 2 || lines[0]["level"] != "INFO" {
		t.Errorf("log lines of what waits: %v", lines)
	}
}

// TestRetryIsRefused checks that an event that a schedule cannot deliver goes to the failure queue.
func TestRetryIsRefused(t *testing.T) {
	t.Parallel()
	s := newScenarioWith(t, replicated, time.Hour)
	s.sendAt(t, s.start.Add(-12*time.Minute), deployTo("v2"))
	s.aws.HandleLambda("arn:aws:lambda:us-east-1:333333333333:function:myproject_deployer_prod",
		func(context.Context, []byte) error { return fmt.Errorf("no") })
	s.clock.Advance(time.Hour + 5*time.Minute)
	s.advance(t, rolloutStep)
	queue := s.aws.Queue("arn:aws:sqs:us-east-1:333333333333:myproject_deployer_failed_prod")
	if len(queue) != 1 || !strings.Contains(string(queue[0].Body), `"kind":"deployer.waiting-event"`) {
		t.Errorf("the failure queue has %+v", queue)
	}
}

// waitingWorld is dev on fake time: emulated AWS with its stack, and the function's pipeline behind the rules and the
// schedules, with the stack's role.
type waitingWorld struct {
	aws     *emulator.Emulator
	dev     *accounts.Account
	bus     *eventbridge.Client
	mu      sync.Mutex
	handle  func(context.Context, []byte) error
	events  [][]byte // that the function got since the start
	results []string // statuses with the time since the start, as "waiting 1m0s"
	start   time.Time
}

func newWaitingWorld(t *testing.T) *waitingWorld {
	t.Helper()
	time.Sleep(time.Until(time.Date(2026, time.January, 22, 10, 15, 0, 0, time.UTC)))
	w := &waitingWorld{aws: emulator.New(emulator.Options{})}
	connect := func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: w.aws} }
	w.dev = accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(connect)
	w.bus = eventbridge.NewFromConfig(w.dev.Config)
	file, err := cloud.ManyServices(t.Context(), w.dev, 1, false)
	must(t, err)
	env, err := environment.Parse("dev.yaml", []byte(file+"deployer:\n"+replicated))
	must(t, err)
	template, err := cloud.Template("../..", env,
		"ExtraRoleArns=arn:aws:iam::"+accounts.Dev+":role/p_service_s0_dev_task_execution")
	must(t, err)
	must(t, w.aws.LoadTemplate(env.AccountID, env.Region, template))
	f, _ := template.Function("DeployerFunction")
	config := w.dev.As("p_deployer_dev").With(connect).Config
	p := pipeline.NewFunction(env, config, io.Discard).KeepIn(f.Environment["DEPLOYER_FAILED_QUEUE"]).
		RetryIn(f.Environment["DEPLOYER_RETRY_GROUP"], f.Environment["DEPLOYER_RETRY_ROLE"])
	w.start = time.Now()
	w.handle = func(_ context.Context, event []byte) error {
		got, err := p.Handle(t.Context(), event)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			t.Errorf("%v\nfor %s", err, event)
		}
		if len(got.Deployments) > 0 || got.Status == "rejected" {
			w.results = append(w.results, fmt.Sprintf("%s %s", got.Status, time.Since(w.start)))
		}
		w.events = append(w.events, event)
		return nil
	}
	w.aws.HandleLambda(f.ARN, w.handle)
	return w
}

// pass lets the time pass, in steps of a second.
func (w *waitingWorld) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for range d / time.Second {
		time.Sleep(time.Second)
		w.aws.Tick()
		must(t, w.aws.Drain(t.Context()))
	}
}

// deploy sends a DEPLOY for a tag.
func (w *waitingWorld) deploy(t *testing.T, tag string) {
	t.Helper()
	_, err := w.bus.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String("action.dev"), DetailType: aws.String("DEPLOY"),
		Detail: aws.String(`{"service":"s0","tag":"` + tag + `"}`),
	}}})
	must(t, err)
	must(t, w.aws.Drain(t.Context()))
}

func (w *waitingWorld) push(t *testing.T, tag string) {
	t.Helper()
	_, err := w.dev.Push(t.Context(), "p_service_s0", "content of "+tag, tag)
	must(t, err)
}

// outcomes returns what the function published, as "Started v2".
func (w *waitingWorld) outcomes(t *testing.T) (all []string) {
	t.Helper()
	for _, c := range w.aws.Calls() {
		if c.Operation != "PutEvents" || c.Role == "" {
			continue
		}
		var in struct {
			Entries []struct{ DetailType, Detail string }
		}
		must(t, json.Unmarshal(c.Body, &in))
		for _, e := range in.Entries {
			var detail struct{ Tag string }
			must(t, json.Unmarshal([]byte(e.Detail), &detail))
			all = append(all, strings.TrimPrefix(e.DetailType, "Deployment ")+" "+detail.Tag)
		}
	}
	return all
}

// TestWaiting sends a DEPLOY before its image, and lets 40 minutes pass.
func TestWaiting(t *testing.T) {
	t.Parallel()
	waits := func(minutes ...int) (all []string) {
		for _, m := range minutes {
			all = append(all, "waiting "+(time.Duration(m)*time.Minute).String())
		}
		return all
	}
	for name, tt := range map[string]struct {
		arrives time.Duration // 0 for never
		newer   time.Duration // when a DEPLOY of v3 comes, which is there; 0 for never
		twice   bool          // the event is delivered twice
		results []string
		outcome []string
		moves   int
		kept    int
	}{
		"after 12 minutes": {arrives: 11*time.Minute + 50*time.Second, moves: 1,
			results: append(waits(0, 1, 2, 3, 4, 5, 6, 8, 10), "deployed 12m0s"),
			outcome: []string{"Started v2", "Succeeded v2"}},
		"never": {kept: 1,
			results: append(waits(0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 26), "rejected 30m0s"),
			outcome: []string{"Rejected v2"}},
		"delivered twice": {arrives: 150 * time.Second, twice: true, moves: 1,
			results: append(waits(0, 0, 1, 2), "deployed 3m0s"), outcome: []string{"Started v2", "Succeeded v2"}},
		"a newer one wins": {arrives: 11 * time.Minute, newer: 9 * time.Minute, moves: 1,
			results: append(append(waits(0, 1, 2, 3, 4, 5, 6, 8), "deployed 9m0s"), "waiting 10m0s",
				"superseded 12m0s"),
			outcome: []string{"Started v3", "Succeeded v3", "Superseded v2"}},
		"a newer one wins, and the image never comes": {newer: 9 * time.Minute, moves: 1, kept: 1,
			results: append(append(waits(0, 1, 2, 3, 4, 5, 6, 8), "deployed 9m0s"),
				append(waits(10, 12, 15, 18, 22, 26), "rejected 30m0s")...),
			outcome: []string{"Started v3", "Succeeded v3", "Rejected v2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWaitingWorld(t)
				w.push(t, "v3")
				w.pass(t, time.Minute) // of the push, which deploys nothing
				w.start, w.events, w.results = time.Now(), nil, nil
				w.aws.ResetCalls()
				w.deploy(t, "v2")
				if tt.twice {
					must(t, w.handle(t.Context(), w.events[0]))
				}
				for passed := time.Duration(0); passed < 40*time.Minute; passed += 10 * time.Second {
					if passed == tt.arrives && passed > 0 {
						w.push(t, "v2")
					}
					if passed == tt.newer && passed > 0 {
						w.deploy(t, "v3")
					}
					w.pass(t, 10*time.Second)
				}
				if diff := cmp.Diff(tt.results, w.results); diff != "" {
					t.Errorf("results (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.outcome, w.outcomes(t)); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
				moves, _ := emulatortest.Count(w.aws.Calls(), "UpdateService")
				kept := w.aws.Queue("arn:aws:sqs:us-east-1:111111111111:p_deployer_failed_dev")
				if moves != tt.moves || len(kept) != tt.kept || len(w.aws.Scheduled()) > 0 {
					t.Errorf("%d moves, want %d; %d kept, want %d; scheduled %v", moves, tt.moves, len(kept), tt.kept,
						w.aws.Scheduled())
				}
			})
		})
	}
}

// TestReplicaDeploys lets ECR copy an image into dev's registry: its event deploys as a push does, through the
// template's rule and with the function's role. A tag that is not in auto_deploy does not deploy.
func TestReplicaDeploys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaitingWorld(t)
		const repository = "p_service_s0"
		source := accounts.Connect("http://aws.invalid", accounts.Prod, accounts.Region).With(func(c *aws.Config) {
			c.HTTPClient = emulatortest.InProcess{AWS: w.aws}
		})
		_, err := source.Push(t.Context(), repository, "content", "latest", "git-abc123f")
		must(t, err)
		w.pass(t, time.Minute) // of the service's creation
		w.start, w.results = time.Now(), nil
		w.aws.ResetCalls()
		for _, tag := range []string{"git-abc123f", "latest"} {
			_, err := w.aws.Replicate(accounts.Prod, accounts.Region, accounts.Dev, accounts.Region, repository, tag)
			must(t, err)
			w.pass(t, time.Minute)
		}
		if diff := cmp.Diff([]string{"deployed 1m0s"}, w.results); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"Started latest", "Succeeded latest"}, w.outcomes(t)); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
		if moves, _ := emulatortest.Count(w.aws.Calls(), "UpdateService"); moves != 1 {
			t.Errorf("%d moves, want 1", moves)
		}
	})
}
