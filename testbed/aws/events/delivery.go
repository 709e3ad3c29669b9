package events

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/sqs"
)

// An envelope is an event, with its members in the order in which EventBridge writes them (EventBridge user guide,
// "Events in Amazon EventBridge").
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

// Publish sends the event of an AWS service to the default bus of its scope.
func (e *Server) Publish(ev api.Event) {
	e.route(e.bus(ev.Scope), envelope{
		Version: "0", ID: e.backend.NewUUID(), DetailType: ev.DetailType, Source: ev.Source,
		Account: ev.Scope.Account, Time: api.EventTime(ev.Time), Region: ev.Scope.Region,
		Resources: ev.Resources, Detail: api.Encode(ev.Detail),
	}, false)
}

// route delivers the event to the targets of the bus's rules that match it. forwarded is true for an event that was
// received from the bus of another account.
func (e *Server) route(b *bus, ev envelope, forwarded bool) {
	body := api.Encode(ev)
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		r := b.rules[name]
		if r.pattern == nil || r.state == stateDisabled {
			continue
		}
		if matches, err := r.pattern.Match(body); err != nil || !matches {
			continue
		}
		for _, t := range r.targets {
			e.deliver(r, t, ev, body, forwarded)
		}
	}
}

func (e *Server) deliver(r *rule, t target, ev envelope, body []byte, forwarded bool) {
	service, _, _, _ := api.SplitARN(t.ARN)
	switch service {
	case "sqs":
		if !e.queues.SendFromRule(t.ARN, r.arn(), sqs.Message{Body: body}) {
			message := "The queue's policy does not allow the rule to send messages to it: " + t.ARN
			e.deadLetter(r, t, body, failure{code: "NO_PERMISSIONS", message: message})
		}
	case "events":
		e.forward(r, t, ev, body, forwarded)
	case "lambda":
		e.deliverToLambda(r, t, body)
	case "ecs":
		e.runTask(r, t, body)
	}
}

// runTask starts the task that is the target, with the target's role. A run that is denied or fails is only a dead
// letter, if the target has a queue (user guide, "Amazon ECS tasks are not started" in the troubleshooting). Input
// paths and transformers are not emulated: such a task has no overrides.
func (e *Server) runTask(r *rule, t target, body []byte) {
	if e.tasks == nil {
		return
	}
	input := json.RawMessage(body)
	switch {
	case t.Input != nil:
		input = json.RawMessage(*t.Input)
	case t.InputPath != nil || t.InputTransformer != nil:
		input = json.RawMessage("{}")
	}
	_, owner, role, _ := api.SplitARN(t.RoleARN)
	name := role[strings.LastIndex(role, "/")+1:]
	caller := api.Caller{Account: owner.Account, Region: r.bus.scope.Region, Role: name}
	if err := e.tasks.RunTarget(caller, t.ARN, t.Task, input, "events-rule/"+r.name); err != nil {
		e.deadLetter(r, t, body, failure{code: "NO_PERMISSIONS", message: err.Message})
	}
}

// forward sends the event, unchanged, to the bus that is the target. An event that was received from another bus is not
// forwarded to a third one (EventBridge user guide, "Sending and receiving events between AWS accounts").
func (e *Server) forward(r *rule, t target, ev envelope, body []byte, forwarded bool) {
	_, to, resource, _ := api.SplitARN(t.ARN)
	from := r.bus.scope
	if forwarded {
		code := "THIRD_ACCOUNT_HOP_DETECTED"
		if to.Region != from.Region {
			code = "THIRD_REGION_HOP_DETECTED"
		}
		e.deadLetter(r, t, body, failure{
			code: code, message: "Events received from another event bus cannot be forwarded to this event bus.",
		})
		return
	}
	b := e.find(busID{to, strings.TrimPrefix(resource, "event-bus/")})
	if to != from {
		if err := e.authorizeForward(r, t, b, ev); err != nil {
			e.deadLetter(r, t, body, failure{code: "NO_PERMISSIONS", message: err.Message})
			return
		}
	}
	if b == nil {
		e.deadLetter(r, t, body, failure{code: "NO_RESOURCE", message: "Event bus does not exist: " + t.ARN})
		return
	}
	e.route(b, ev, true)
}

// authorizeForward checks that the target's role may send the event to a bus of another account or region. The bus is
// nil if it does not exist.
func (e *Server) authorizeForward(r *rule, t target, b *bus, ev envelope) *api.Error {
	_, owner, role, _ := api.SplitARN(t.RoleARN)
	if t.RoleARN == "" {
		return api.AccessDenied("The target has no role to send events with.")
	}
	a := api.Access{
		Action: "events:PutEvents", Resource: t.ARN,
		Context: map[string]string{
			"aws:SourceArn": r.arn(), "aws:SourceAccount": r.bus.scope.Account,
			"events:source": ev.Source, "events:detail-type": ev.DetailType, "events:eventBusInvocation": "true",
		},
	}
	if b != nil {
		a.Policy = b.policy
	}
	name := role[strings.LastIndex(role, "/")+1:]
	return e.iam.Authorize(api.Caller{Account: owner.Account, Role: name, Region: r.bus.scope.Region}, a)
}

// A failure is why an event was not delivered (EventBridge user guide, "Using dead-letter queues to process undelivered
// events in EventBridge").
type failure struct {
	code, message string
	retryable     bool
}

// deadLetter sends an event that could not be delivered to the target's dead-letter queue. Without such a queue, or if
// its policy does not allow it, the event is lost.
func (e *Server) deadLetter(r *rule, t target, body []byte, f failure) {
	if t.DeadLetter == nil {
		return
	}
	attributes := map[string]string{
		"RULE_ARN":       r.arn(),
		"TARGET_ARN":     t.ARN,
		"ERROR_CODE":     f.code,
		"ERROR_MESSAGE":  f.message,
		"RETRY_ATTEMPTS": "0",
	}
	if f.retryable {
		attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumRetryAttempts"
	}
	e.queues.SendFromRule(t.DeadLetter.ARN, r.arn(), sqs.Message{Body: body, Attributes: attributes})
}
