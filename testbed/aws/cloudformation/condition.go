package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// holds reports whether the stack has a resource or output. value is its Condition, nil if it has none.
func (r *resolver) holds(value any) (bool, error) {
	switch name := value.(type) {
	case nil:
		return true, nil
	case string:
		return r.condition(name)
	default:
		return false, fmt.Errorf("the Condition is %s, not the name of one", describe(value))
	}
}

// condition evaluates a condition of the Conditions section.
func (r *resolver) condition(name string) (bool, error) {
	expression, ok := r.conditions[name]
	if !ok {
		return false, fmt.Errorf("condition %q is not in the template", name)
	}
	leave, err := r.enter("condition " + name)
	if err != nil {
		return false, err
	}
	defer leave()
	result, err := r.evaluate(expression)
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", name, err)
	}
	return result, nil
}

// evaluate computes a condition function.
func (r *resolver) evaluate(value any) (bool, error) {
	expression, ok := value.(map[string]any)
	if !ok || len(expression) != 1 {
		return false, fmt.Errorf("%s is not a condition function", describe(value))
	}
	for name, operand := range expression {
		if name == "Condition" {
			return r.holds(operand)
		}
		operands, ok := operand.([]any)
		if !ok {
			return false, fmt.Errorf("%s takes a list, not %s", name, describe(operand))
		}
		switch name {
		case "Fn::Equals":
			return r.equals(operands)
		case "Fn::Not":
			if len(operands) != 1 {
				return false, fmt.Errorf("Fn::Not takes one condition, not %d", len(operands))
			}
			result, err := r.evaluate(operands[0])
			return !result, err
		case "Fn::And", "Fn::Or":
			return r.combine(name, operands)
		default:
			return false, fmt.Errorf("%s is not a condition function", name)
		}
	}
	return false, errors.New("unreachable")
}

func (r *resolver) equals(operands []any) (bool, error) {
	if len(operands) != 2 {
		return false, fmt.Errorf("Fn::Equals takes two values, not %d", len(operands))
	}
	a, err := r.resolve(operands[0])
	if err != nil {
		return false, fmt.Errorf("Fn::Equals%w", err)
	}
	b, err := r.resolve(operands[1])
	if err != nil {
		return false, fmt.Errorf("Fn::Equals%w", err)
	}
	for _, value := range []any{a, b} {
		if _, ok := value.([]any); ok {
			return false, errors.New("Fn::Equals compares strings, not a list")
		}
	}
	return reflect.DeepEqual(a, b), nil
}

func (r *resolver) combine(name string, operands []any) (bool, error) {
	if len(operands) < 2 || len(operands) > 10 {
		return false, fmt.Errorf("%s takes 2 to 10 conditions, not %d", name, len(operands))
	}
	var results []bool
	for _, operand := range operands {
		result, err := r.evaluate(operand)
		if err != nil {
			return false, err
		}
		results = append(results, result)
	}
	if name == "Fn::And" {
		return !slices.Contains(results, false), nil
	}
	return slices.Contains(results, true), nil
}

// checkRules checks the assertions of the Rules section, which reject combinations of parameters (CloudFormation user
// guide, "Rules section").
func (r *resolver) checkRules(section any) error {
	rules, err := objects("Rules", section)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if err := r.checkRule(rules[name]); err != nil {
			return fmt.Errorf("rule %s: %w", name, err)
		}
	}
	return nil
}

func (r *resolver) checkRule(rule map[string]any) error {
	if condition, ok := rule["RuleCondition"]; ok {
		if applies, err := r.evaluate(condition); err != nil || !applies {
			return err
		}
	}
	assertions, _ := rule["Assertions"].([]any)
	if len(assertions) == 0 {
		return errors.New("it has no Assertions")
	}
	for _, element := range assertions {
		assertion, _ := element.(map[string]any)
		holds, err := r.evaluate(assertion["Assert"])
		if err != nil {
			return err
		}
		if !holds {
			return fmt.Errorf("%v", assertion["AssertDescription"])
		}
	}
	return nil
}
