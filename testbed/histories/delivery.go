package histories

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/pipeline"
)

// timeout is that of the function in the template.
const timeout = 2 * time.Minute

// retryWaits are Lambda's waits before it tries an asynchronous invocation again.
var retryWaits = []time.Duration{time.Minute, 2 * time.Minute}

// An invocation is one delivery of an event. Its attempts have the same request id.
type invocation struct {
	key     string // constant when other actions are dropped
	raw     []byte
	eventID string // of an event that asks for a deployment
	kills   map[int]*Kill
}

// deliver invokes the function as Lambda does, until an attempt succeeds or the event goes to the failure queue.
func (w *world) deliver(in *invocation) {
	for n := 0; ; n++ {
		if w.attempt(in, n, "function", w.takeProcess()) {
			return
		}
		if n == len(retryWaits) {
			break
		}
		time.Sleep(retryWaits[n])
	}
	w.record.add(time.Now(), "%s goes to the failure queue", in.key)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, in)
}

// takeProcess returns an idle process of the function, or starts one.
func (w *world) takeProcess() *pipeline.Pipeline {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.idle) == 0 {
		return w.newPipeline()
	}
	p := w.idle[0]
	w.idle = w.idle[1:]
	return p
}

// attempt makes one attempt, and reports whether it succeeded.
func (w *world) attempt(in *invocation, n int, by string, p *pipeline.Pipeline) bool {
	a, ctx := w.newAttempt(fmt.Sprintf("%s.%d", in.key, n), by, in.kills[n])
	defer a.cancel()
	if by == "function" {
		ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{
			InvokedFunctionArn: functionARN, AwsRequestID: requestID(in.key),
		})
	}
	result, err := p.Handle(ctx, in.raw)
	if !w.finish(a, err) {
		w.addResult(in.eventID, a, pipeline.Result{}, err)
		if !a.died && by == "function" {
			w.release(p)
		}
		return false
	}
	if by == "function" {
		w.release(p)
	}
	w.addResult(in.eventID, a, result, nil)
	return true // an operator does not run again what is rejected
}

// requestID returns the id of an invocation's request, which has the form of Lambda's.
func requestID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// release returns a process to the idle ones.
func (w *world) release(p *pipeline.Pipeline) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, p)
}

// newAttempt returns an attempt and the context of its calls.
func (w *world) newAttempt(key, by string, kill *Kill) (*attempt, context.Context) {
	a := &attempt{key: key, by: by, start: time.Now(), kill: kill, same: map[string]int{}}
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), attemptKey{}, a), timeout)
	a.cancel = cancel
	w.mu.Lock()
	defer w.mu.Unlock()
	w.numbers++
	return a, fault.WithJitter(ctx, func(most time.Duration) time.Duration {
		w.mu.Lock()
		defer w.mu.Unlock()
		a.same["jitter"]++
		return time.Duration(w.draw(int64(most), a.key, a.same["jitter"], "jitter"))
	})
}

// finish ends an attempt, and reports whether it succeeded.
func (w *world) finish(a *attempt, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	a.ended, a.end = true, time.Now()
	a.ok = err == nil && !a.died
	return a.ok
}

// addResult records what an attempt answered for each service.
func (w *world) addResult(eventID string, a *attempt, result pipeline.Result, err error) {
	if err != nil || a.died {
		if err != nil && !a.died {
			w.record.add(a.end, "%s fails: %v", a.key, err)
			w.record.mu.Lock()
			defer w.record.mu.Unlock()
			w.record.results = append(w.record.results, result1(eventID, a, err))
		}
		return
	}
	if len(result.Deployments) == 0 {
		w.record.add(a.end, "%s: %s: %s", a.key, result.Status, result.Reason)
	}
	for _, d := range result.Deployments {
		w.record.add(a.end, "%s: s%d %s: %s", a.key, w.serviceOf(d.ECSService), d.Status, d.Reason)
		one := result1(eventID, a, nil)
		one.service, one.status, one.reason = w.serviceOf(d.ECSService), string(d.Status), d.Reason
		if d.Digest != "" {
			w.mu.Lock()
			one.image = w.digests[d.Digest]
			w.mu.Unlock()
		}
		w.record.mu.Lock()
		w.record.results = append(w.record.results, one)
		w.record.mu.Unlock()
	}
	if eventID == "" || len(result.Deployments) > 0 {
		return
	}
	one := result1(eventID, a, nil)
	one.status, one.reason = string(result.Status), result.Reason
	w.record.mu.Lock()
	defer w.record.mu.Unlock()
	w.record.results = append(w.record.results, one)
}

func result1(eventID string, a *attempt, err error) result {
	return result{eventID: eventID, service: -1, start: a.start, end: a.end, attempt: a, err: err}
}

// redrive runs the events of the failure queue again, as an operator does. What fails again stays.
func (w *world) redrive(ctx context.Context, key string) {
	w.mu.Lock()
	messages := w.queue
	w.queue = nil
	w.mu.Unlock()
	for i, in := range messages {
		p := pipeline.NewRedrive(w.env, w.connect("operator", "operator").Config)
		again := *in
		again.key, again.kills = fmt.Sprintf("redrive %s of %s", key, in.key), nil
		if w.attempt(&again, i, "operator", p) {
			continue
		}
		w.mu.Lock()
		w.queue = append(w.queue, in)
		w.mu.Unlock()
	}
}

// command carries out a request as the command line does, and tries again once if the operator's machine dies.
func (w *world) command(a Action, id string, request event.Request) {
	var kill *Kill
	for i := range a.Kills {
		if a.Kills[i].Attempt == 0 {
			kill = &a.Kills[i]
		}
	}
	try, ctx := w.newAttempt("command "+id, "operator", kill)
	defer try.cancel()
	result, err := pipeline.New(w.env, w.connect("operator", "operator").Config).Deploy(ctx, request)
	w.finish(try, err)
	w.addResult(id, try, result, err)
}

func describeService(name string) *ecs.DescribeServicesInput {
	return &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{name}}
}

// eventJSON returns an event of EventBridge.
func eventJSON(id, source, detailType string, at time.Time, detail any) []byte {
	raw, err := json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": detailType, "source": source, "account": account,
		"time": at.UTC().Format(time.RFC3339), "region": region, "resources": []string{}, "detail": detail,
	})
	if err != nil {
		panic(err) // the details are maps of strings
	}
	return raw
}
