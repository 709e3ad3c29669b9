package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxLength is the longest event pattern that EventBridge accepts, in characters (EventBridge quotas).
const MaxLength = 2048

// Parse parses an event pattern. The error of an invalid pattern names the field by its path.
func Parse(p []byte) (*Pattern, error) {
	n := utf8.RuneCount(p)
	if n > MaxLength {
		return nil, fmt.Errorf("parsing event pattern: it has %d characters, more than the %d that EventBridge accepts",
			n, MaxLength)
	}
	value, err := decode(p)
	if err != nil {
		return nil, fmt.Errorf("parsing event pattern: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("parsing event pattern: it is not a JSON object")
	}
	root, err := parseObject(object, nil)
	if err != nil {
		return nil, fmt.Errorf("parsing event pattern: %w", err)
	}
	return &Pattern{root}, nil
}

func parseObject(object map[string]any, path []string) (*node, error) {
	if len(object) == 0 {
		return nil, errAt(path, "an empty object is not allowed")
	}
	n := &node{fields: map[string]*node{}}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		at := append(slices.Clone(path), name)
		if list, ok := object[name].([]any); ok && name == "$or" {
			either, err := parseOr(list, at)
			if err != nil {
				return nil, err
			}
			n.either = either
			continue
		}
		field, err := parseField(object[name], at)
		if err != nil {
			return nil, err
		}
		n.fields[name] = field
	}
	return n, nil
}

// parseOr parses the alternatives of "$or", of which one has to match beside the object's other fields.
func parseOr(list []any, at []string) (either []*node, err error) {
	if len(list) < 2 {
		return nil, errAt(at, "must have at least two objects")
	}
	for _, value := range list {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, errAt(at, "must be an array of objects, not of %s", describe(value))
		}
		alternative, err := parseObject(object, at)
		if err != nil {
			return nil, err
		}
		either = append(either, alternative)
	}
	return either, nil
}

func parseField(value any, at []string) (*node, error) {
	switch value := value.(type) {
	case map[string]any:
		return parseObject(value, at)
	case []any:
		return parseLeaf(value, at)
	default:
		return nil, errAt(at, "must be an object or an array, not %s", describe(value))
	}
}

func parseLeaf(values []any, at []string) (*node, error) {
	if len(values) == 0 {
		return nil, errAt(at, "an empty array is not allowed")
	}
	leaf := &node{}
	for _, value := range values {
		m, err := parseMatcher(value)
		if err != nil {
			return nil, errAt(at, "%w", err)
		}
		leaf.leaf = append(leaf.leaf, m)
	}
	return leaf, nil
}

// errAt returns an error that begins with the path of the field.
func errAt(path []string, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if len(path) == 0 {
		return err
	}
	return fmt.Errorf("%s: %w", strings.Join(path, "."), err)
}

// describe names the JSON type of a value for an error.
func describe(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the string %q", value)
	case json.Number:
		return fmt.Sprintf("the number %s", value)
	case bool:
		return fmt.Sprintf("%t", value)
	case []any:
		return "an array"
	default:
		return "an object"
	}
}
