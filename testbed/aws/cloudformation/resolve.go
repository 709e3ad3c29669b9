package cloudformation

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// resolver computes the values of a template's functions for one stack.
type resolver struct {
	stack      Parameters
	parameters map[string]any
	conditions map[string]any
	resources  map[string]map[string]any
	// entered is what is being resolved, to detect circular references.
	entered map[string]bool
}

func newResolver(document map[string]any, p Parameters) (*resolver, error) {
	r := &resolver{stack: p, entered: map[string]bool{}}
	if r.stack.Partition == "" {
		r.stack.Partition = "aws"
	}
	var err error
	if r.parameters, err = resolveParameters(document["Parameters"], p.Values); err != nil {
		return nil, err
	}
	if err := expand(document, r.parameters); err != nil {
		return nil, err
	}
	if r.resources, err = objects("Resources", document["Resources"]); err != nil {
		return nil, err
	}
	if len(r.resources) == 0 {
		return nil, errors.New("section Resources is missing or empty")
	}
	r.conditions, _ = document["Conditions"].(map[string]any)
	return r, nil
}

// enter records that something is being resolved until leave is called.
func (r *resolver) enter(what string) (leave func(), err error) {
	if r.entered[what] {
		return nil, fmt.Errorf("%s depends on itself", what)
	}
	r.entered[what] = true
	return func() { delete(r.entered, what) }, nil
}

// noValue is the value of AWS::NoValue, which removes the property or the element.
type noValue struct{}

// resolve returns the value with all functions in it resolved. An error begins with the path from here, such as
// `.Properties.Name: ...`; callers prefix it without a separator.
func (r *resolver) resolve(value any) (any, error) {
	switch value := value.(type) {
	case []any:
		list := []any{}
		for i, element := range value {
			resolved, err := r.resolve(element)
			if err != nil {
				return nil, fmt.Errorf("[%d]%w", i, err)
			}
			if resolved != (noValue{}) {
				list = append(list, resolved)
			}
		}
		return list, nil
	case map[string]any:
		if name, operand, ok := function(value); ok {
			resolved, err := r.call(name, operand)
			if err != nil {
				return nil, fmt.Errorf(": %w", err)
			}
			return resolved, nil
		}
		return r.resolveObject(value)
	default:
		return value, nil
	}
}

func (r *resolver) resolveObject(object map[string]any) (any, error) {
	resolved := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if name == "Ref" || strings.HasPrefix(name, "Fn::") {
			return nil, fmt.Errorf(": %s stands beside other keys", name)
		}
		value, err := r.resolve(object[name])
		if err != nil {
			return nil, fmt.Errorf(".%s%w", name, err)
		}
		if value != (noValue{}) {
			resolved[name] = value
		}
	}
	return resolved, nil
}

// function returns the name and operand of an object that is a function.
func function(object map[string]any) (name string, operand any, ok bool) {
	if len(object) != 1 {
		return "", nil, false
	}
	for name, operand = range object {
	}
	return name, operand, name == "Ref" || strings.HasPrefix(name, "Fn::")
}

func (r *resolver) call(name string, operand any) (any, error) {
	switch name {
	case "Ref":
		id, ok := operand.(string)
		if !ok {
			return nil, fmt.Errorf("a Ref takes a name, not %s", describe(operand))
		}
		return r.ref(id)
	case "Fn::Sub":
		return r.sub(operand)
	}
	operands, ok := operand.([]any)
	if !ok {
		return nil, fmt.Errorf("%s takes a list, not %s", name, describe(operand))
	}
	switch name {
	case "Fn::GetAtt":
		return r.getAtt(operands)
	case "Fn::If":
		return r.choose(operands)
	case "Fn::Join":
		return r.join(operands)
	case "Fn::Split":
		return r.split(operands)
	case "Fn::Select":
		return r.pick(operands)
	default:
		return nil, fmt.Errorf("function %s is not supported", name)
	}
}

func (r *resolver) choose(operands []any) (any, error) {
	if len(operands) != 3 {
		return nil, fmt.Errorf("Fn::If takes a condition and two values, not %d operands", len(operands))
	}
	name, ok := operands[0].(string)
	if !ok {
		return nil, fmt.Errorf("Fn::If takes the name of a condition, not %s", describe(operands[0]))
	}
	holds, err := r.condition(name)
	if err != nil {
		return nil, err
	}
	if holds {
		return r.operand("Fn::If", operands[1])
	}
	return r.operand("Fn::If", operands[2])
}

// operand resolves an operand of a function.
func (r *resolver) operand(name string, value any) (any, error) {
	resolved, err := r.resolve(value)
	if err != nil {
		return nil, fmt.Errorf("%s%w", name, err)
	}
	return resolved, nil
}

// list resolves an operand that must be a list.
func (r *resolver) list(name string, value any) ([]any, error) {
	resolved, err := r.operand(name, value)
	if err != nil {
		return nil, err
	}
	list, ok := resolved.([]any)
	if !ok {
		return nil, fmt.Errorf("%s takes a list, not %s", name, describe(resolved))
	}
	return list, nil
}

// text resolves an operand that must be a string. A number or boolean is converted to one.
func (r *resolver) text(name string, value any) (string, error) {
	resolved, err := r.operand(name, value)
	if err != nil {
		return "", err
	}
	switch resolved := resolved.(type) {
	case string:
		return resolved, nil
	case json.Number, bool:
		return fmt.Sprint(resolved), nil
	default:
		return "", fmt.Errorf("%s takes a string, not %s", name, describe(resolved))
	}
}

// placeholder is what Fn::Sub replaces: a name, an attribute of a resource, or a literal after !.
var placeholder = regexp.MustCompile(`\$\{([^{}]*)\}`)

func (r *resolver) sub(operand any) (any, error) {
	variables := map[string]any{}
	if operands, ok := operand.([]any); ok {
		if len(operands) != 2 {
			return nil, fmt.Errorf("Fn::Sub takes a string, or a string and variables, not %d operands", len(operands))
		}
		if variables, ok = operands[1].(map[string]any); !ok {
			return nil, fmt.Errorf("Fn::Sub takes an object of variables, not %s", describe(operands[1]))
		}
		operand = operands[0]
	}
	text, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("Fn::Sub takes a string, not %s", describe(operand))
	}
	var fault error
	result := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name := strings.TrimSpace(match[2 : len(match)-1])
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		value, err := r.text("Fn::Sub", variableOr(variables, name))
		if err != nil && fault == nil {
			fault = fmt.Errorf("replacing ${%s}: %w", name, err)
		}
		return value
	})
	return result, fault
}

// variableOr returns the variable of Fn::Sub, or the Ref or Fn::GetAtt that its name stands for.
func variableOr(variables map[string]any, name string) any {
	if value, ok := variables[name]; ok {
		return value
	}
	if id, attribute, ok := strings.Cut(name, "."); ok {
		return map[string]any{"Fn::GetAtt": []any{id, attribute}}
	}
	return map[string]any{"Ref": name}
}
