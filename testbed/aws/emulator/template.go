package emulator

import (
	"fmt"
	"strings"

	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/events/pattern"
)

// LoadTemplate makes the rules, their targets, the bus policies, the queues, the topics
// and the roles of a template, as deploying its stack in the account and region would.
// What it makes replaces what has the same name; of the roles it sets the policies, as
// [Emulator.SetRolePolicy] does. Unlike queues that no template made, a template's take
// from EventBridge only what their policy lets in.
func (e *Emulator) LoadTemplate(account, region string, t *cloudformation.Template) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, role := range t.Roles() {
		e.roles[roleKey{account, role.Name}] = role.Policies
	}
	e.loadQueues(t)
	for _, r := range t.Rules() {
		bus, err := e.templateBus(account, region, r.BusARN)
		if err != nil {
			return fmt.Errorf("loading the rule %q: %w", r.LogicalID, err)
		}
		if err := bus.loadRule(r); err != nil {
			return fmt.Errorf("loading the rule %q: %w", r.LogicalID, err)
		}
	}
	for _, p := range t.BusPolicies() {
		bus, err := e.templateBus(account, region, p.BusARN)
		if err != nil {
			return fmt.Errorf("loading a bus policy: %w", err)
		}
		if err := bus.setPolicy(p.Document); err != nil {
			return fmt.Errorf("loading the policy of the bus %q: %w", p.BusARN, err)
		}
	}
	return nil
}

// loadQueues makes the queues of a template, with their policies.
func (e *Emulator) loadQueues(t *cloudformation.Template) {
	for _, q := range t.Queues() {
		e.queuePolicies[q.ARN] = nil
		e.makeQueue(q.ARN)
	}
	for _, p := range t.QueuePolicies() {
		e.queuePolicies[p.QueueARN] = p.Document
	}
}

// templateBus returns the bus of the account with the ARN.
func (e *Emulator) templateBus(account, region, arn string) (*eventBus, error) {
	_, key, resource, ok := splitARN(arn)
	if want := (scopeKey{account, region}); !ok || key != want {
		return nil, fmt.Errorf("the bus %q is not in account %s, region %s", arn, account, region)
	}
	bus := e.findBus(key, strings.TrimPrefix(resource, "event-bus/"))
	if bus == nil {
		return nil, fmt.Errorf("there is no bus %q", arn)
	}
	return bus, nil
}

// loadRule adds the rule of a template to the bus.
func (b *eventBus) loadRule(from cloudformation.Rule) error {
	r := &rule{bus: b, name: from.Name, patternText: string(from.Pattern), schedule: from.Schedule, state: "ENABLED"}
	if from.Pattern != nil {
		parsed, err := pattern.Parse(from.Pattern)
		if err != nil {
			return err
		}
		r.pattern = parsed
	}
	if r.arn() != from.ARN {
		return fmt.Errorf("its ARN is %q, want %q", from.ARN, r.arn())
	}
	for _, t := range from.Targets {
		made := target{ID: t.ID, ARN: t.ARN, RoleARN: t.RoleARN}
		if t.DeadLetterARN != "" {
			made.DeadLetter = &struct {
				ARN string `json:"Arn"`
			}{t.DeadLetterARN}
		}
		if err := made.check(b.scopeKey); err != nil {
			return err
		}
		r.targets = append(r.targets, made)
	}
	b.rules[r.name] = r
	return nil
}
