package pattern

import (
	"encoding/json"
	"fmt"
	"strings"
)

func parseMatcher(value any) (matcher, error) {
	switch value := value.(type) {
	case nil, bool, string:
		return literal{value}, nil
	case json.Number:
		return number{value}, nil
	case map[string]any:
		return parseOnly(value, parseOperator)
	}
	return nil, fmt.Errorf("a value must be a string, number, true, false, null or matcher, not %s", describe(value))
}

// parseOnly parses the only member of an object as an operator and its operand.
func parseOnly(o map[string]any, parse func(name string, operand any) (matcher, error)) (matcher, error) {
	if len(o) != 1 {
		return nil, fmt.Errorf("a matcher must have exactly one key, not %d", len(o))
	}
	for name, operand := range o {
		return parse(name, operand)
	}
	panic("unreachable: the object has one member")
}

func parseOperator(name string, operand any) (matcher, error) {
	switch name {
	case "exists":
		wanted, ok := operand.(bool)
		if !ok {
			return nil, fmt.Errorf("exists must be true or false, not %s", describe(operand))
		}
		return existence(wanted), nil
	case "anything-but":
		return parseButNot(operand)
	}
	return parseText(name, operand)
}

// parseText parses an operator that compares strings.
func parseText(name string, operand any) (matcher, error) {
	if o, ok := operand.(map[string]any); ok && (name == "prefix" || name == "suffix") {
		return parseFolded(name, o)
	}
	want, isText := operand.(string)
	var found matcher
	switch name {
	case "prefix":
		found = prefix(want)
	case "suffix":
		found = text(func(s string) bool { return strings.HasSuffix(s, want) })
	case "equals-ignore-case":
		found = text(func(s string) bool { return strings.EqualFold(s, want) })
	case "wildcard":
		if err := checkWildcard(want); err != nil {
			return nil, err
		}
		found = text(func(s string) bool { return wildcard(want, s) })
	default:
		return nil, fmt.Errorf("unknown matcher %q", name)
	}
	if !isText {
		return nil, fmt.Errorf("%s must be a string, not %s", name, describe(operand))
	}
	return found, nil
}

// parseFolded parses the operand of {"prefix": {"equals-ignore-case": "x"}}, and of suffix.
func parseFolded(name string, o map[string]any) (matcher, error) {
	return parseOnly(o, func(inner string, operand any) (matcher, error) {
		want, ok := operand.(string)
		if inner != "equals-ignore-case" || !ok {
			return nil, fmt.Errorf(`%s must be a string or {"equals-ignore-case": STRING}`, name)
		}
		return text(func(s string) bool {
			if len(s) < len(want) {
				return false
			}
			if name == "prefix" {
				return strings.EqualFold(s[:len(want)], want)
			}
			return strings.EqualFold(s[len(s)-len(want):], want)
		}), nil
	})
}

// checkWildcard refuses what event-ruler refuses: two "*" in a row, and a backslash before another character.
func checkWildcard(pattern string) error {
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '*' && i+1 < len(pattern) && pattern[i+1] == '*':
			return fmt.Errorf("wildcard %q has two wildcards in a row", pattern)
		case pattern[i] != '\\':
		case i+1 == len(pattern) || pattern[i+1] != '*' && pattern[i+1] != '\\':
			return fmt.Errorf("wildcard %q has a backslash before neither * nor a backslash", pattern)
		default:
			i++
		}
	}
	return nil
}

// parseButNot parses the operand of anything-but: a string or number, a list of either, or an operator on strings with
// one operand or a list.
func parseButNot(operand any) (matcher, error) {
	switch operand := operand.(type) {
	case string, json.Number:
		m, err := parseMatcher(operand)
		return butNot{m}, err
	case []any:
		return parseButNone(operand, func(v any) (matcher, error) {
			switch v.(type) {
			case string, json.Number:
				return parseMatcher(v)
			}
			return nil, fmt.Errorf("anything-but must list strings or numbers, not %s", describe(v))
		})
	case map[string]any:
		return parseOnly(operand, func(name string, inner any) (matcher, error) {
			list, ok := inner.([]any)
			if !ok {
				list = []any{inner}
			}
			return parseButNone(list, func(v any) (matcher, error) { return parseText(name, v) })
		})
	}
	return nil, fmt.Errorf("anything-but must be a string, number, list or matcher, not %s", describe(operand))
}

func parseButNone(list []any, parse func(any) (matcher, error)) (matcher, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("anything-but must not be an empty array")
	}
	var not butNot
	for _, v := range list {
		m, err := parse(v)
		if err != nil {
			return nil, err
		}
		not = append(not, m)
	}
	return not, nil
}
