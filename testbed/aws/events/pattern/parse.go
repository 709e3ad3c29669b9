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

const (
	// MaxLength is the longest event pattern that EventBridge takes, in characters.
	MaxLength = 2048
	// maxAlternatives is how many combinations of $or branches EventBridge takes in one pattern.
	maxAlternatives = 1000
)

// reserved are the names that may not be fields inside $or, because a matcher written there by mistake would
// otherwise be taken for a field.
var reserved = []string{"exactly", "prefix", "suffix", "anything-but", "numeric", "exists", "cidr", "equals-ignore-case", "wildcard"}

// Parse reads an event pattern. The error of an invalid pattern names the field by its path and what is wrong with it.
func Parse(p []byte) (*Pattern, error) {
	if n := utf8.RuneCount(p); n > MaxLength {
		return nil, fmt.Errorf("parsing event pattern: it has %d characters, more than the %d that EventBridge takes", n, MaxLength)
	}
	value, err := decode(p)
	if err != nil {
		return nil, fmt.Errorf("parsing event pattern: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("parsing event pattern: it is not a JSON object")
	}
	alternatives, err := parseObject(object, nil, false)
	if err != nil {
		return nil, fmt.Errorf("parsing event pattern: %w", err)
	}
	return &Pattern{alternatives: alternatives}, nil
}

func parseObject(object map[string]any, path []string, inOr bool) ([]*node, error) {
	if len(object) == 0 {
		return nil, fault(path, "an empty object is not allowed")
	}
	alternatives := []*node{{fields: map[string]*node{}}}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		at := append(slices.Clone(path), name)
		var branches []*node
		var err error
		if name == "$or" {
			branches, err = parseOr(object[name], path, at)
		} else if inOr && slices.Contains(reserved, name) {
			err = fault(at, "%q cannot be the name of a field inside $or", name)
		} else {
			branches, err = parseField(object[name], name, at, inOr)
		}
		if err != nil {
			return nil, err
		}
		if alternatives, err = multiply(alternatives, branches, at); err != nil {
			return nil, err
		}
	}
	return alternatives, nil
}

// parseField returns the alternatives for one field, each wrapped in an object of that field alone.
func parseField(value any, name string, at []string, inOr bool) ([]*node, error) {
	var below []*node
	switch value := value.(type) {
	case map[string]any:
		var err error
		if below, err = parseObject(value, at, inOr); err != nil {
			return nil, err
		}
	case []any:
		leaf, err := parseLeaf(value, at)
		if err != nil {
			return nil, err
		}
		below = []*node{leaf}
	default:
		return nil, fault(at, "must be an object or an array, not %s", describe(value))
	}
	for i, n := range below {
		below[i] = &node{fields: map[string]*node{name: n}}
	}
	return below, nil
}

func parseOr(value any, path, at []string) ([]*node, error) {
	branches, ok := value.([]any)
	if !ok {
		return nil, fault(at, "must be an array of objects, not %s", describe(value))
	}
	if len(branches) < 2 {
		return nil, fault(at, "must have at least two objects, not %d", len(branches))
	}
	var alternatives []*node
	for _, branch := range branches {
		object, ok := branch.(map[string]any)
		if !ok {
			return nil, fault(at, "must hold only objects, not %s", describe(branch))
		}
		parsed, err := parseObject(object, path, true)
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, parsed...)
	}
	return alternatives, nil
}

// multiply combines what has to match so far with the alternatives of one more field.
func multiply(so, more []*node, at []string) ([]*node, error) {
	if len(so)*len(more) > maxAlternatives {
		return nil, fault(at, "the $or branches make more than %d combinations", maxAlternatives)
	}
	product := make([]*node, 0, len(so)*len(more))
	for _, a := range so {
		for _, b := range more {
			product = append(product, merge(a, b))
		}
	}
	return product, nil
}

// merge returns a node that needs both a and b. Where both have a leaf at one path, b's replaces a's, as in the
// service's engine.
func merge(a, b *node) *node {
	if a.fields == nil || b.fields == nil {
		return b
	}
	merged := &node{fields: maps.Clone(a.fields)}
	for name, n := range b.fields {
		if known, ok := merged.fields[name]; ok {
			n = merge(known, n)
		}
		merged.fields[name] = n
	}
	return merged
}

func parseLeaf(values []any, at []string) (*node, error) {
	if len(values) == 0 {
		return nil, fault(at, "an empty array is not allowed")
	}
	leaf := &node{}
	for _, value := range values {
		m, err := parseMatcher(value)
		if err != nil {
			return nil, fault(at, "%w", err)
		}
		leaf.leaf = append(leaf.leaf, m)
	}
	return leaf, nil
}

func fault(path []string, format string, args ...any) error {
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
