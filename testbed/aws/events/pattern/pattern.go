// Package pattern matches events against EventBridge event patterns (EventBridge user guide, "Creating event patterns";
// where the guide is silent, github.com/aws/event-ruler). It knows values, "$or", and all operators but numeric and
// cidr, which are an error.
//
//	p, err := pattern.Parse([]byte(`{"source": ["aws.ecr"]}`))
//	matches, err := p.Match(event)
package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A Pattern is a parsed event pattern. It never changes, so several goroutines may use it at once.
type Pattern struct{ root *node }

// A node is one level of a pattern: an object, whose fields all have to match, or a leaf, one of whose matchers has
// to match.
type node struct {
	fields map[string]*node
	either []*node // one of which has to match too: "$or"
	leaf   []matcher
}

// Match reports whether the event, a JSON object, matches the pattern. It returns an error if the event is not a JSON
// object.
//
// Fields that the pattern does not name are not compared. An array in the event matches a leaf if one of its elements
// does; it matches an object if one element matches all fields of the object.
func (p *Pattern) Match(event []byte) (bool, error) {
	value, err := decode(event)
	if err != nil {
		return false, fmt.Errorf("reading event: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return false, errors.New("reading event: it is not a JSON object")
	}
	return p.root.match(object, []any{object}), nil
}

// match compares one value of the event. everywhere holds all values at this node's path, in whichever array elements
// they are: "exists": false means that the field is in none of them, not only that the element at hand lacks it.
func (n *node) match(value any, everywhere []any) bool {
	if n.fields == nil {
		return n.matchLeaf(leaves(value), everywhere)
	}
	if array, ok := value.([]any); ok && len(array) > 0 {
		for _, element := range array {
			if n.match(element, everywhere) {
				return true
			}
		}
		return false
	}
	object, _ := value.(map[string]any)
	for name, field := range n.fields {
		if !field.match(valueOf(object, name), fieldsOf(everywhere, name)) {
			return false
		}
	}
	matches := func(one *node) bool { return one.match(value, everywhere) }
	return n.either == nil || slices.ContainsFunc(n.either, matches)
}

func (n *node) matchLeaf(values, everywhere []any) bool {
	for _, m := range n.leaf {
		if m == absent && len(leaves(everywhere)) == 0 {
			return true
		}
		for _, v := range values {
			if m.match(v) {
				return true
			}
		}
	}
	return false
}

// missing stands for a field that the event does not have; JSON's null is nil.
type missing struct{}

func valueOf(object map[string]any, name string) any {
	if v, ok := object[name]; ok {
		return v
	}
	return missing{}
}

// fieldsOf returns the named field of every object among the values, and of those in arrays.
func fieldsOf(values []any, name string) []any {
	var found []any
	for _, value := range values {
		switch value := value.(type) {
		case map[string]any:
			if v, ok := value[name]; ok {
				found = append(found, v)
			}
		case []any:
			found = append(found, fieldsOf(value, name)...)
		}
	}
	return found
}

// leaves returns what a leaf of a pattern is compared with: a scalar itself, and the scalars in arrays of any depth.
// An object and an empty array have none, so "exists": true does not match them.
func leaves(value any) []any {
	switch value := value.(type) {
	case missing, map[string]any:
		return nil
	case []any:
		var found []any
		for _, element := range value {
			found = append(found, leaves(element)...)
		}
		return found
	default:
		return []any{value}
	}
}

// decode reads exactly one JSON value, with numbers as they are written.
func decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("not JSON: something follows the first value")
	}
	return value, nil
}
