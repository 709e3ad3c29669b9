package histories

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	tickInterval = 5 * time.Second
	// settleLimit is how long the world has to come to rest after the last action. A rollout without a circuit breaker
	// may go on forever, which is rest too.
	settleLimit = 3 * time.Hour
	// epoch is when histories begin. The clock of a synctest bubble begins in 2000, when there were no events.
	epoch = "2026-01-22T10:15:30Z"
)

// A Report is the result of one history.
type Report struct {
	Problems []Problem
	Calls    int    // of the function
	Moves    int    // of services by the deployer
	Choices  int    // that were made
	Trace    string // what happened
}

// Run runs a history. It must be called in a synctest bubble.
func Run(ctx context.Context, h History) (Report, error) {
	begin, _ := time.Parse(time.RFC3339, epoch) // a constant
	time.Sleep(time.Until(begin))
	w, err := newWorld(ctx, h)
	if err != nil {
		return Report{}, fmt.Errorf("setting up: %w", err)
	}
	ticking, stop := context.WithCancel(ctx)
	ticker := make(chan struct{})
	go func() {
		defer close(ticker)
		for sleep(ticking, tickInterval) == nil {
			w.aws.Tick()
		}
	}()
	err = w.carryOut(ctx)
	stop()
	<-ticker
	w.running.Wait()
	if err != nil {
		return Report{}, err
	}
	return w.report(), nil
}

// carryOut carries out the actions, waits until everything is handled, and sends one event more to each service.
func (w *world) carryOut(ctx context.Context) error {
	errs := make(chan error, len(w.history.Actions))
	start := time.Now()
	for _, a := range w.history.Actions {
		time.Sleep(time.Until(start.Add(a.At)))
		w.running.Go(func() { errs <- w.act(ctx, a) })
	}
	w.settle(ctx)
	close(errs)
	for err := range errs {
		if err != nil {
			return fmt.Errorf("an action: %w", err)
		}
	}
	if err := w.check(ctx); err != nil {
		return err
	}
	return w.probe(ctx)
}

// settle waits until all deliveries are handled and all rollouts have ended, runs the failure queue again, and lets the
// schedule look for lost pushes.
func (w *world) settle(ctx context.Context) {
	w.running.Wait()
	w.endFaults()
	limit := time.Now().Add(settleLimit)
	for ticks := 0; ticks < 2 && time.Now().Before(limit); {
		w.rest(limit)
		w.mu.Lock()
		failed := len(w.queue)
		w.mu.Unlock()
		if failed > 0 {
			time.Sleep(w.redriveDelay())
			w.redrive(ctx, "at the end")
			continue
		}
		before := len(w.record.moves)
		a := Action{ID: 1000 + ticks, Delays: []time.Duration{0}}
		w.send(a, eventJSON(eventID(a), "aws.events", "Scheduled Event", time.Now(), map[string]string{}), "")
		w.rest(limit)
		if ticks++; len(w.record.moves) > before {
			ticks = min(ticks, 1)
		}
	}
}

// redriveDelay returns how long it takes until an operator runs the failure queue again.
func (w *world) redriveDelay() time.Duration {
	if w.draw(3, "redrive", len(w.record.results)) == 0 {
		return time.Minute
	}
	return 21 * time.Minute
}

// endFaults ends all faults, and waits until reads are exact.
func (w *world) endFaults() {
	w.mu.Lock()
	for i := range w.faults {
		w.faults[i].until = time.Now()
	}
	w.mu.Unlock()
	time.Sleep(w.history.StaleFor)
	w.healed.Store(true)
}

// rest waits until no delivery is handled and no rollout goes on.
func (w *world) rest(limit time.Time) {
	for quiet := 0; quiet < 2 && time.Now().Before(limit); quiet++ {
		w.running.Wait()
		w.passTicks(w.history.FailureDelay + 2*tickInterval)
		w.running.Wait()
		if w.rolling() {
			quiet = -1
		}
		time.Sleep(time.Millisecond) // so that the deliveries of events that the reading sent have begun
	}
}

// passTicks waits for a multiple of the interval of ticks, and ends between two of them: what is seen then does not
// depend on whether a tick at the same time came first.
func (w *world) passTicks(d time.Duration) {
	time.Sleep(d - time.Since(w.record.start)%tickInterval + tickInterval/2)
}

// rolling reports whether a rollout goes on that will end.
func (w *world) rolling() bool {
	for i := range w.history.Services {
		s, err := w.admin.ECS.DescribeServices(context.Background(), describeService(w.ecsName(i)))
		if err != nil || len(s.Services) != 1 {
			panic(fmt.Sprintf("describing a service: %v", err))
		}
		newest := s.Services[0]
		forever := !w.history.Breakers[i] && w.neverRuns(w.imageOfRevision(aws.ToString(newest.TaskDefinition)))
		for _, d := range newest.Deployments {
			if d.RolloutState == types.DeploymentRolloutStateInProgress && !forever {
				return true
			}
		}
	}
	return false
}

// imageOfRevision returns the image of a revision with an ARN.
func (w *world) imageOfRevision(arn string) string {
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	return w.record.registrationOf(revisionOf(arn)).image
}

// now returns what a service runs.
func (w *world) now(ctx context.Context, service int) (registration, error) {
	s, err := w.admin.ECS.DescribeServices(ctx, describeService(w.ecsName(service)))
	if err != nil {
		return registration{}, err
	}
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	return w.record.registrationOf(revisionOf(aws.ToString(s.Services[0].TaskDefinition))), nil
}
