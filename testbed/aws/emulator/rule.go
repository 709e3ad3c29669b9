package emulator

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"deployer/testbed/aws/events/pattern"
)

// A rule is an EventBridge rule.
type rule struct {
	bus         *eventBus
	name        string
	patternText string
	pattern     *pattern.Pattern // nil for a schedule, which never fires here
	schedule    string
	state       string
	description string
	roleARN     string
	targets     []target
}

// A target is where a rule sends events.
type target struct {
	ID         string `json:"Id"`
	ARN        string `json:"Arn"`
	RoleARN    string `json:"RoleArn,omitempty"`
	DeadLetter *struct {
		ARN string `json:"Arn"`
	} `json:"DeadLetterConfig,omitempty"`
	Retry *struct {
		Attempts *int `json:"MaximumRetryAttempts,omitempty"`
		Age      *int `json:"MaximumEventAgeInSeconds,omitempty"`
	} `json:"RetryPolicy,omitempty"`

	// What would change the event on its way is not emulated, and refused.
	Input            *string   `json:"Input,omitempty"`
	InputPath        *string   `json:"InputPath,omitempty"`
	InputTransformer *struct{} `json:"InputTransformer,omitempty"`
}

const mostTargets = 5

var ruleNameForm = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

func (k scopeKey) ruleARN(bus, name string) string {
	if bus == defaultBus {
		return k.arn("events", "rule/"+name)
	}
	return k.arn("events", "rule/"+bus+"/"+name)
}

func (r *rule) arn() string { return r.bus.ruleARN(r.bus.name, r.name) }

func (r *rule) describe() object {
	o := object{"Name": r.name, "Arn": r.arn(), "State": r.state, "EventBusName": r.bus.name}
	for name, value := range map[string]string{
		"EventPattern": r.patternText, "ScheduleExpression": r.schedule, "Description": r.description, "RoleArn": r.roleARN,
	} {
		if value != "" {
			o[name] = value
		}
	}
	return o
}

func errInvalidPattern(err error) *Error {
	return badRequest("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
}

type putRuleInput struct {
	Name, EventBusName, EventPattern, ScheduleExpression, State, Description string

	RoleARN string `json:"RoleArn"`
}

func (e *Emulator) putRule(r *request, in putRuleInput) (any, *Error) {
	if !ruleNameForm.MatchString(in.Name) {
		return nil, errValidation("Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", in.Name)
	}
	if in.EventPattern == "" && in.ScheduleExpression == "" {
		return nil, errValidation("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	key, busName := r.busOf(in.EventBusName)
	if err := e.authorize(r, access{action: r.name(), resource: key.ruleARN(busName, in.Name)}); err != nil {
		return nil, err
	}
	bus := e.findBus(key, busName)
	if bus == nil {
		return nil, errEventsNotFound("Event bus %s does not exist.", busName)
	}
	put := &rule{
		bus: bus, name: in.Name, patternText: in.EventPattern, schedule: in.ScheduleExpression,
		state: in.State, description: in.Description, roleARN: in.RoleARN,
	}
	if put.state == "" {
		put.state = "ENABLED"
	}
	if in.EventPattern != "" {
		parsed, parseErr := pattern.Parse([]byte(in.EventPattern))
		if parseErr != nil {
			return nil, errInvalidPattern(parseErr)
		}
		put.pattern = parsed
	}
	if old, ok := bus.rules[in.Name]; ok {
		put.targets = old.targets
	}
	bus.rules[in.Name] = put
	return object{"RuleArn": put.arn()}, nil
}

// A ruleID is how requests name a rule.
type ruleID struct {
	Name         string // DescribeRule
	Rule         string // the others
	EventBusName string
}

// openRule asks for leave for the request's action and returns the rule.
func (e *Emulator) openRule(r *request, id ruleID) (*rule, *Error) {
	key, busName := r.busOf(id.EventBusName)
	name := id.Name + id.Rule
	if err := e.authorize(r, access{action: r.name(), resource: key.ruleARN(busName, name)}); err != nil {
		return nil, err
	}
	bus := e.findBus(key, busName)
	if bus == nil {
		return nil, errEventsNotFound("Event bus %s does not exist.", busName)
	}
	found, ok := bus.rules[name]
	if !ok {
		return nil, errEventsNotFound("Rule %s does not exist on EventBus %s.", name, busName)
	}
	return found, nil
}

func (e *Emulator) describeRule(r *request, in ruleID) (any, *Error) {
	found, err := e.openRule(r, in)
	if err != nil {
		return nil, err
	}
	o := found.describe()
	o["CreatedBy"] = found.bus.account
	return o, nil
}

type listRulesInput struct {
	NamePrefix, EventBusName, NextToken string
	Limit                               int
}

func (e *Emulator) listRules(r *request, in listRulesInput) (any, *Error) {
	key, busName := r.busOf(in.EventBusName)
	if err := e.authorize(r, access{action: r.name(), resource: key.ruleARN(busName, "*")}); err != nil {
		return nil, err
	}
	bus := e.findBus(key, busName)
	if bus == nil {
		return nil, errEventsNotFound("Event bus %s does not exist.", busName)
	}
	rules := []object{}
	for _, name := range slices.Sorted(maps.Keys(bus.rules)) {
		if strings.HasPrefix(name, in.NamePrefix) {
			rules = append(rules, bus.rules[name].describe())
		}
	}
	rules, next, err := page(rules, paging{in.NextToken, in.Limit}, 100, 100)
	if err != nil {
		return nil, err
	}
	return withCapitalToken(object{"Rules": rules}, next), nil
}

// withCapitalToken is withToken for EventBridge, whose members begin with a capital.
func withCapitalToken(answer object, next string) object {
	if next != "" {
		answer["NextToken"] = next
	}
	return answer
}

type putTargetsInput struct {
	ruleID
	Targets []target
}

func (e *Emulator) putTargets(r *request, in putTargetsInput) (any, *Error) {
	found, err := e.openRule(r, in.ruleID)
	if err != nil {
		return nil, err
	}
	targets := slices.Clone(found.targets)
	for _, t := range in.Targets {
		if err := t.check(found.bus.scopeKey); err != nil {
			return nil, err
		}
		targets = slices.DeleteFunc(targets, func(old target) bool { return old.ID == t.ID })
		targets = append(targets, t)
	}
	if len(targets) > mostTargets {
		return nil, badRequest("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	}
	found.targets = targets
	return object{"FailedEntryCount": 0, "FailedEntries": []object{}}, nil
}

// check refuses a target that EventBridge or the emulator cannot deliver to.
func (t target) check(rule scopeKey) *Error {
	service, key, _, ok := splitARN(t.ARN)
	switch {
	case t.ID == "":
		return errValidation("Parameter Id is required.")
	case !ok:
		return errValidation("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", t.ARN)
	case service != "lambda" && service != "sqs" && service != "events":
		return errValidation("Parameter %s is not valid. Reason: the emulator delivers to Lambda, SQS and event buses only.", t.ARN)
	case t.Input != nil || t.InputPath != nil || t.InputTransformer != nil:
		return errValidation("Modifying the input for target %s is not supported by the emulator.", t.ID)
	case service == "events" && key != rule && t.RoleARN == "":
		return errValidation("RoleArn is required for target %s.", t.ARN)
	}
	return nil
}

type listTargetsByRuleInput struct {
	ruleID
	NextToken string
	Limit     int
}

func (e *Emulator) listTargetsByRule(r *request, in listTargetsByRuleInput) (any, *Error) {
	found, err := e.openRule(r, in.ruleID)
	if err != nil {
		return nil, err
	}
	targets, next, err := page(found.targets, paging{in.NextToken, in.Limit}, 100, 100)
	if err != nil {
		return nil, err
	}
	return withCapitalToken(object{"Targets": nonNil(targets)}, next), nil
}
