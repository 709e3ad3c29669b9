package events

import (
	"fmt"
	"regexp"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/events/pattern"
)

// A rule is an EventBridge rule.
type rule struct {
	bus         *bus
	name        string
	patternText string
	pattern     *pattern.Pattern // nil for a schedule
	schedule    string
	state       string
	description string
	roleARN     string
	targets     []target
	managedBy   string            // the AWS service that made it
	failing     map[string]string // error codes of PutTargets by the ids of targets
}

const (
	stateEnabled  = "ENABLED"
	stateDisabled = "DISABLED"
)

var ruleNameForm = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

// ruleARN returns the ARN of a rule, which has the name of its bus unless that is the default one.
func ruleARN(bus busID, name string) string {
	if bus.name == defaultBus {
		return bus.scope.ARN("events", "rule/"+name)
	}
	return bus.scope.ARN("events", "rule/"+bus.name+"/"+name)
}

func (r *rule) arn() string { return ruleARN(busID{r.bus.scope, defaultBus}, r.name) }

// setPattern parses the rule's event pattern.
func (r *rule) setPattern(text string) error {
	parsed, err := pattern.Parse([]byte(text))
	if err != nil {
		return err
	}
	r.patternText, r.pattern = text, parsed
	return nil
}

func (r *rule) describe() api.Object {
	o := api.Object{"Name": r.name, "Arn": r.arn(), "State": r.state, "EventBusName": defaultBus}
	for name, value := range map[string]string{
		"EventPattern": r.patternText, "ScheduleExpression": r.schedule, "Description": r.description,
		"RoleArn": r.roleARN, "ManagedBy": r.managedBy,
	} {
		if value != "" {
			o[name] = value
		}
	}
	return o
}

func invalidPattern(err error) *api.Error {
	return api.NewError("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
}

type putRuleInput struct {
	Name, EventBusName, EventPattern, ScheduleExpression, State, Description string

	RoleARN string `json:"RoleArn"`
}

// putRule creates a rule, or replaces it but for its targets.
func (e *Server) putRule(r *api.Request, in putRuleInput) (any, *api.Error) {
	if !ruleNameForm.MatchString(in.Name) {
		return nil, api.Validation("Value '%s' at 'name' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", in.Name)
	}
	if in.EventPattern == "" && in.ScheduleExpression == "" {
		return nil, api.Validation("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	id := parseBus(r, in.EventBusName)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: ruleARN(id, in.Name)}); err != nil {
		return nil, err
	}
	b := e.find(id)
	if b == nil {
		return nil, busNotFound(id.name)
	}
	put := &rule{
		bus: b, name: in.Name, schedule: in.ScheduleExpression, state: in.State,
		description: in.Description, roleARN: in.RoleARN,
	}
	if put.state == "" {
		put.state = stateEnabled
	}
	if in.EventPattern != "" {
		if err := put.setPattern(in.EventPattern); err != nil {
			return nil, invalidPattern(err)
		}
	}
	if old, ok := b.rules[in.Name]; ok {
		put.targets, put.managedBy, put.failing = old.targets, old.managedBy, old.failing
	}
	b.rules[in.Name] = put
	return api.Object{"RuleArn": put.arn()}, nil
}

// A ruleID is how requests name a rule.
type ruleID struct {
	Name         string // in DescribeRule
	Rule         string // in the other operations
	EventBusName string

	targets []target // of PutTargets
}

// openRule checks that the caller may carry out the request's operation on a rule, and returns the rule.
func (e *Server) openRule(r *api.Request, in ruleID) (*rule, *api.Error) {
	id := parseBus(r, in.EventBusName)
	name := in.Name + in.Rule
	for _, context := range in.contexts() {
		access := api.Access{Action: r.Name(), Resource: ruleARN(id, name), Context: context}
		if err := r.Authorize(access); err != nil {
			return nil, err
		}
	}
	b := e.find(id)
	if b == nil {
		return nil, busNotFound(id.name)
	}
	found, ok := b.rules[name]
	if !ok {
		return nil, notFound("Rule %s does not exist on EventBus %s.", name, id.name)
	}
	return found, nil
}

// contexts returns the condition keys of each permission that the request needs: PutTargets needs one for each target
// (Service Authorization Reference, "Actions, resources, and condition keys for Amazon EventBridge").
func (in ruleID) contexts() (all []map[string]string) {
	for _, t := range in.targets {
		all = append(all, map[string]string{"events:TargetArn": t.ARN})
	}
	if len(all) == 0 {
		all = append(all, nil)
	}
	return all
}

func (e *Server) describeRule(r *api.Request, in ruleID) (any, *api.Error) {
	found, err := e.openRule(r, in)
	if err != nil {
		return nil, err
	}
	o := found.describe()
	o["CreatedBy"] = found.bus.scope.Account
	return o, nil
}

// setState returns EnableRule or DisableRule.
func (e *Server) setState(state string) func(*api.Request, ruleID) (any, *api.Error) {
	return func(r *api.Request, in ruleID) (any, *api.Error) {
		found, err := e.openRule(r, in)
		if err != nil {
			return nil, err
		}
		if found.managedBy != "" {
			return nil, managedRule(found)
		}
		found.state = state
		return api.Object{}, nil
	}
}

func managedRule(r *rule) *api.Error {
	return api.NewError("ManagedRuleException", "Rule %s is managed by %s.", r.name, r.managedBy)
}

// LoadRule creates the rule of a template, or replaces the one with the same name. The rule's bus must be of the scope.
func (e *Server) LoadRule(scope api.Scope, from cloudformation.Rule) error {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	b, err := e.ownBus(scope, from.BusARN)
	if err != nil {
		return err
	}
	r := &rule{bus: b, name: from.Name, schedule: from.Schedule, state: stateEnabled}
	if from.Pattern != nil {
		if err := r.setPattern(string(from.Pattern)); err != nil {
			return err
		}
	}
	if r.arn() != from.ARN {
		return fmt.Errorf("its ARN is %q, want %q", from.ARN, r.arn())
	}
	for _, t := range from.Targets {
		made := target{ID: t.ID, ARN: t.ARN, RoleARN: t.RoleARN}
		if t.DeadLetterARN != "" {
			made.DeadLetter = &deadLetterConfig{t.DeadLetterARN}
		}
		if err := made.check(b.scope); err != nil {
			return err
		}
		r.targets = append(r.targets, made)
	}
	b.rules[r.name] = r
	return nil
}
