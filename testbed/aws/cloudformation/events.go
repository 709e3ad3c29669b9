package cloudformation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"deployer/internal/iam"
	"deployer/testbed/aws/events/pattern"
)

// Rule is an EventBridge rule.
type Rule struct {
	LogicalID, Name, ARN, BusARN string
	// Pattern is the event pattern, which is valid; nil for a rule with only a schedule.
	Pattern json.RawMessage
	// Schedule is the schedule expression, such as "rate(15 minutes)"; empty for a rule without one.
	Schedule string
	Targets  []Target
}

// Target is where a rule sends events. DeadLetterARN (of a queue) and RoleARN are empty if it has none.
type Target struct{ ID, ARN, DeadLetterARN, RoleARN string }

// BusPolicy is the resource policy of an event bus with the statements of all its AWS::Events::EventBusPolicy.
type BusPolicy struct {
	BusARN   string
	Document []byte
}

// Rules returns the stack's rules, sorted by logical id.
func (t *Template) Rules() []Rule { return t.rules }

// BusPolicies returns the stack's event bus policies, one for each bus that has any.
func (t *Template) BusPolicies() []BusPolicy { return t.policies }

func (r *resolver) readRule(id string, properties map[string]any) (Rule, error) {
	_, name, identity, err := r.identify(id)
	if err != nil {
		return Rule{}, err
	}
	for property := range properties {
		switch property {
		case "Name", "Description", "EventBusName", "EventPattern", "ScheduleExpression", "Targets":
		default:
			return Rule{}, fmt.Errorf("property %s is not supported", property)
		}
	}
	rule := Rule{LogicalID: id, Name: name, ARN: ruleARN(r, name, identity), BusARN: r.busARN(properties)}
	rule.Schedule, _ = properties["ScheduleExpression"].(string)
	if eventPattern, ok := properties["EventPattern"]; ok {
		if rule.Pattern, err = marshal(eventPattern); err != nil {
			return Rule{}, err
		}
		if _, err := pattern.Parse(rule.Pattern); err != nil {
			return Rule{}, err
		}
	} else if rule.Schedule == "" {
		return Rule{}, errors.New("it needs EventPattern or ScheduleExpression")
	}
	targets, _ := properties["Targets"].([]any)
	for _, element := range targets {
		target, err := readTarget(element)
		if err != nil {
			return Rule{}, fmt.Errorf("target: %w", err)
		}
		rule.Targets = append(rule.Targets, target)
	}
	return rule, nil
}

func readTarget(element any) (Target, error) {
	target := Target{}
	members, _ := element.(map[string]any)
	for name, value := range members {
		ok := true
		switch name {
		case "Id":
			target.ID, ok = value.(string)
		case "Arn":
			target.ARN, ok = value.(string)
		case "RoleArn":
			target.RoleARN, ok = value.(string)
		case "DeadLetterConfig":
			config, _ := value.(map[string]any)
			target.DeadLetterARN, ok = config["Arn"].(string)
		case "RetryPolicy": // How often and for how long: the emulator does not wait for that.
		default:
			return Target{}, fmt.Errorf("property %s is not supported", name)
		}
		if !ok {
			return Target{}, fmt.Errorf("property %s is %s", name, describe(value))
		}
	}
	if target.ID == "" || target.ARN == "" {
		return Target{}, errors.New("it needs both Id and Arn")
	}
	return target, nil
}

// addBusPolicy adds the statement of one AWS::Events::EventBusPolicy to the policy of its bus.
func (t *Template) addBusPolicy(r *resolver, properties map[string]any) error {
	statement, ok := properties["Statement"].(map[string]any)
	id, hasID := properties["StatementId"].(string)
	if !ok || !hasID {
		return errors.New("it needs both StatementId and Statement")
	}
	statement = maps.Clone(statement)
	statement["Sid"] = id
	bus := r.busARN(properties)
	i := slices.IndexFunc(t.policies, func(p BusPolicy) bool { return p.BusARN == bus })
	var document struct {
		Version   string
		Statement []any
	}
	if i < 0 {
		i = len(t.policies)
		t.policies = append(t.policies, BusPolicy{BusARN: bus})
	} else if err := json.Unmarshal(t.policies[i].Document, &document); err != nil {
		return err
	}
	document.Version, document.Statement = "2012-10-17", append(document.Statement, statement)
	merged, err := marshal(document)
	if err != nil {
		return err
	}
	if _, err := iam.Parse(merged); err != nil {
		return err
	}
	t.policies[i].Document = merged
	return nil
}

// busName returns the name of the bus of a rule or a policy, which may give its name or its ARN.
func busName(properties map[string]any) string {
	name, ok := properties["EventBusName"].(string)
	if !ok {
		return "default"
	}
	if _, after, ok := strings.Cut(name, ":event-bus/"); ok {
		return after
	}
	return name
}

func (r *resolver) busARN(properties map[string]any) string {
	return r.arn("events", r.stack.Region, "event-bus/"+busName(properties))
}

// marshal encodes JSON without escaping HTML, because the length of patterns is limited.
func marshal(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(buffer.Bytes()), nil
}
