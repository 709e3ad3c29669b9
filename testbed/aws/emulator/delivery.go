package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"deployer/internal/iam"
)

// An envelope is an event, with its members in the order EventBridge writes them.
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// A Message is a message in an SQS queue.
type Message struct {
	Body []byte
	// Attributes are the message attributes. Of an event that could not be delivered
	// they are RULE_ARN, TARGET_ARN, ERROR_CODE, ERROR_MESSAGE, RETRY_ATTEMPTS and,
	// where a retry could have helped, EXHAUSTED_RETRY_CONDITION.
	Attributes map[string]string
}

// delivery is what happens to events that match a rule. The emulator's lock guards it.
type delivery struct {
	functions  map[string]func(context.Context, []byte) error
	queues     map[string][]*held
	duplicates int
	underWay   int
	idle       *sync.Cond

	queuePolicies map[string]*iam.Document // of the queues that a template made
}

func (d *delivery) init(mu *sync.Mutex) {
	d.functions = map[string]func(context.Context, []byte) error{}
	d.queues = map[string][]*held{}
	d.queuePolicies = map[string]*iam.Document{}
	d.idle = sync.NewCond(mu)
}

// HandleLambda makes f the Lambda function with the ARN. A delivery succeeds when f
// returns nil. An error is like one that EventBridge meets when it invokes a function
// asynchronously: the event goes to the target's dead-letter queue at once, the
// target's retry policy counting as exhausted. Several deliveries may run at a time.
func (e *Emulator) HandleLambda(arn string, f func(ctx context.Context, event []byte) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.functions[arn] = f
}

// DuplicateDeliveries makes every delivery to a function happen n times more.
func (e *Emulator) DuplicateDeliveries(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.duplicates = n
}

// Queue returns the messages in the SQS queue with the ARN, oldest first. Every queue
// exists, and takes what EventBridge sends, unless a template made it: see
// [Emulator.LoadTemplate].
func (e *Emulator) Queue(arn string) []Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	var messages []Message
	for _, h := range e.queues[arn] {
		messages = append(messages, h.Message)
	}
	return messages
}

// Drain waits until no delivery is under way, or returns the context's error.
func (e *Emulator) Drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.idle.Broadcast()
	})
	defer stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.underWay > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("waiting for %d deliveries: %w", e.underWay, err)
		}
		e.idle.Wait()
	}
	return nil
}

// sendServiceEvent puts the event of an AWS service on the default bus.
func (e *Emulator) sendServiceEvent(key scopeKey, at time.Time, source, detailType string, resources []string, detail object) {
	e.publish(e.findBus(key, defaultBus), envelope{
		Version: "0", ID: e.newUUID(), DetailType: detailType, Source: source,
		Account: key.account, Time: seconds(at), Region: key.region,
		Resources: resources, Detail: encode(detail),
	}, false)
}

// publish hands the event to the targets of the bus's rules that match it. An event
// that was received from another bus is not sent on to a third one.
func (e *Emulator) publish(bus *eventBus, ev envelope, received bool) {
	body := encode(ev)
	for _, name := range slices.Sorted(maps.Keys(bus.rules)) {
		r := bus.rules[name]
		if r.pattern == nil || r.state == "DISABLED" {
			continue
		}
		if matches, err := r.pattern.Match(body); err != nil || !matches {
			continue
		}
		for _, t := range r.targets {
			e.deliver(r, t, ev, body, received)
		}
	}
}

func (e *Emulator) deliver(r *rule, t target, ev envelope, body []byte, received bool) {
	service, _, _, _ := splitARN(t.ARN)
	switch service {
	case "sqs":
		if !e.letsIn(t.ARN, r) {
			e.deadLetter(r, t, body, "NO_PERMISSIONS", "The queue's policy does not let the rule send messages to it: "+t.ARN, false)
			return
		}
		e.enqueue(t.ARN, Message{Body: body})
	case "events":
		e.forward(r, t, ev, body, received)
	case "lambda":
		f, ok := e.functions[t.ARN]
		if !ok {
			e.deadLetter(r, t, body, "NO_RESOURCE", "Function not found: "+t.ARN, false)
			return
		}
		for range 1 + e.duplicates {
			e.underWay++
			go e.invoke(f, r, t, body)
		}
	}
}

// letsIn reports whether the queue takes messages of the rule.
func (e *Emulator) letsIn(queue string, r *rule) bool {
	document, made := e.queuePolicies[queue]
	if !made {
		return true
	}
	return document != nil && document.Evaluate(iam.Request{
		Principal: "events.amazonaws.com", Action: "sqs:SendMessage", Resource: queue,
		Context: map[string]string{"aws:SourceArn": r.arn(), "aws:SourceAccount": r.bus.account, "aws:SecureTransport": "true"},
	}) == iam.Allow
}

// invoke runs the function, without holding the lock.
func (e *Emulator) invoke(f func(context.Context, []byte) error, r *rule, t target, body []byte) {
	err := f(context.Background(), slices.Clone(body))
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.deadLetter(r, t, body, "ERROR_FROM_TARGET", err.Error(), true)
	}
	e.underWay--
	if e.underWay == 0 {
		e.idle.Broadcast()
	}
}

// forward puts the event on the bus that is the target. The envelope stays as it is.
func (e *Emulator) forward(r *rule, t target, ev envelope, body []byte, received bool) {
	_, to, resource, _ := splitARN(t.ARN)
	from := r.bus.scopeKey
	if received {
		code := "THIRD_ACCOUNT_HOP_DETECTED"
		if to.region != from.region {
			code = "THIRD_REGION_HOP_DETECTED"
		}
		e.deadLetter(r, t, body, code, "Events received from another event bus cannot be forwarded to this event bus.", false)
		return
	}
	bus := e.findBus(to, strings.TrimPrefix(resource, "event-bus/"))
	if to != from {
		if err := e.mayForward(r, t, bus, ev); err != nil {
			e.deadLetter(r, t, body, "NO_PERMISSIONS", err.Message, false)
			return
		}
	}
	if bus == nil {
		e.deadLetter(r, t, body, "NO_RESOURCE", "Event bus does not exist: "+t.ARN, false)
		return
	}
	e.publish(bus, ev, true)
}

// mayForward asks for leave to put the event on a bus of another account or region, in
// the name of the target's role.
func (e *Emulator) mayForward(r *rule, t target, bus *eventBus, ev envelope) *Error {
	_, owner, role, _ := splitARN(t.RoleARN)
	if t.RoleARN == "" {
		return AccessDenied("The target has no role to send events with.")
	}
	a := access{
		action: "events:PutEvents", resource: t.ARN,
		context: map[string]string{
			"aws:SourceArn": r.arn(), "aws:SourceAccount": r.bus.account,
			"events:source": ev.Source, "events:detail-type": ev.DetailType, "events:eventBusInvocation": "true",
		},
	}
	if bus != nil {
		a.policy = bus.policy
	}
	name := role[strings.LastIndex(role, "/")+1:]
	return e.decide(caller{account: owner.account, role: name, region: r.bus.region, service: "events"}, a)
}

// deadLetter puts an event that could not be delivered into the target's dead-letter
// queue; without one, or when that does not take it, it is lost.
func (e *Emulator) deadLetter(r *rule, t target, body []byte, code, message string, retryable bool) {
	if t.DeadLetter == nil || !e.letsIn(t.DeadLetter.ARN, r) {
		return
	}
	attributes := map[string]string{
		"RULE_ARN":       r.arn(),
		"TARGET_ARN":     t.ARN,
		"ERROR_CODE":     code,
		"ERROR_MESSAGE":  message,
		"RETRY_ATTEMPTS": "0",
	}
	if retryable {
		attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumRetryAttempts"
	}
	e.enqueue(t.DeadLetter.ARN, Message{Body: body, Attributes: attributes})
}
