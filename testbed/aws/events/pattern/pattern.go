// Package pattern matches events against EventBridge event patterns, with the semantics of the service's own engine
// (https://github.com/aws/event-ruler) and the limits of the EventBridge user guide. It reads and compares JSON and
// does nothing else: no clock, no network, no AWS SDK.
package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Pattern is a parsed event pattern. It never changes, so it may be used from several goroutines at once.
type Pattern struct {
	// alternatives are the pattern with every $or multiplied out: it matches when one of them does.
	alternatives []*node
}

// node is one level of a pattern: either an object, whose fields all have to match, or a leaf, one of whose matchers
// has to match.
type node struct {
	fields map[string]*node
	leaf   []matcher
}

// Match reports whether the event, a JSON object, meets the pattern.
//
// A field that is absent from the pattern is not looked at. An array in the event meets a leaf when one of its
// elements does, and meets an object when one and the same element meets all of the object's fields.
// The error says that the event is not a JSON object.
func (p *Pattern) Match(event []byte) (bool, error) {
	value, err := decode(event)
	if err != nil {
		return false, fmt.Errorf("reading event: %w", err)
	}
	root, ok := value.(map[string]any)
	if !ok {
		return false, errors.New("reading event: it is not a JSON object")
	}
	for _, alternative := range p.alternatives {
		if alternative.match(root, []any{root}) {
			return true, nil
		}
	}
	return false, nil
}

// match compares one value of the event. everywhere holds all values of the event that this node's path leads to,
// whichever array elements they are in: "exists": false means that the field is nowhere, and not only that it is
// missing from the element looked at.
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
	return true
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

// fieldsOf returns the named field of every object in the values, and in arrays in them.
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
// An object, and an empty array, have none, so that neither "exists": true nor anything-but matches them.
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

// decode reads exactly one JSON value, with numbers kept as they are written.
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
