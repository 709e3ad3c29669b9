package cloudformation

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// resolveParameters returns the value of every parameter: a string, or a list of them for a CommaDelimitedList.
func resolveParameters(section any, values map[string]string) (map[string]any, error) {
	parameters, err := objects("Parameters", section)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if parameters[name] == nil {
			return nil, fmt.Errorf("parameter %s: the template does not have it", name)
		}
	}
	resolved := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		value, given := values[name]
		if resolved[name], err = resolveParameter(parameters[name], value, given); err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return resolved, nil
}

func resolveParameter(parameter map[string]any, value string, given bool) (any, error) {
	for name := range parameter {
		switch name {
		case "Type", "Default", "Description", "ConstraintDescription", "NoEcho", "AllowedPattern", "AllowedValues",
			"MinLength", "MaxLength":
		default:
			return nil, fmt.Errorf("%q is not supported", name)
		}
	}
	if !given {
		byDefault, ok := parameter["Default"]
		if !ok {
			return nil, fmt.Errorf("it has no default and must be given")
		}
		value = fmt.Sprint(byDefault)
	}
	switch kind := parameter["Type"]; kind {
	case "String":
		return value, checkParameter(parameter, value)
	case "CommaDelimitedList":
		list := []any{}
		for element := range strings.SplitSeq(value, ",") {
			element = strings.TrimSpace(element)
			if err := checkParameter(parameter, element); err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		return list, nil
	default:
		return nil, fmt.Errorf("type %v is not supported", kind)
	}
}

// checkParameter checks a value, or one element of a list, against the parameter's constraints.
func checkParameter(parameter map[string]any, value string) error {
	if allowed, ok := parameter["AllowedValues"].([]any); ok {
		if !slices.ContainsFunc(allowed, func(a any) bool { return fmt.Sprint(a) == value }) {
			return fmt.Errorf("%q is not one of %v%s", value, allowed, because(parameter))
		}
	}
	if pattern, ok := parameter["AllowedPattern"].(string); ok {
		form, err := compile(pattern)
		if err != nil {
			return fmt.Errorf("AllowedPattern: %w", err)
		}
		if !form.MatchString(value) {
			return fmt.Errorf("%q does not match %s%s", value, pattern, because(parameter))
		}
	}
	length := utf8.RuneCountInString(value)
	if limit, ok := parameter["MinLength"].(json.Number); ok && length < atoi(limit) {
		return fmt.Errorf("%q is shorter than %s characters", value, limit)
	}
	if limit, ok := parameter["MaxLength"].(json.Number); ok && length > atoi(limit) {
		return fmt.Errorf("%q is longer than %s characters", value, limit)
	}
	return nil
}

func atoi(n json.Number) int {
	i, _ := strconv.Atoi(n.String())
	return i
}

// patterns are the allowed patterns that were compiled, by their text.
var patterns sync.Map

// compile compiles a pattern that a whole value has to match.
func compile(pattern string) (*regexp.Regexp, error) {
	if known, ok := patterns.Load(pattern); ok {
		return known.(*regexp.Regexp), nil
	}
	form, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err == nil {
		patterns.Store(pattern, form)
	}
	return form, err
}

func because(parameter map[string]any) string {
	if description, ok := parameter["ConstraintDescription"].(string); ok {
		return ": " + description
	}
	return ""
}
