package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// object returns the raw members of a JSON object. Unlike decoding into a struct,
// it distinguishes "Tag" from "tag", and rejects a name that occurs twice.
func object(raw []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	first, err := d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("is empty")
	case err != nil:
		return nil, notJSON(err)
	case first != json.Delim('{'):
		return nil, fmt.Errorf("is %s, not a JSON object", kind(raw))
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name := key.(string) // the decoder accepts no other token as a key
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, notJSON(err)
		}
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("has %s twice", quote(name))
		}
		members[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("is not JSON: text follows the object")
	}
	return members, nil
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("is not JSON: it ends within the object")
	}
	return fmt.Errorf("is not JSON: %w", err)
}

// text returns the value of a JSON string, and whether v is one.
func text(v json.RawMessage) (string, bool) {
	var s *string
	if json.Unmarshal(v, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// kind names the kind of a JSON value in messages.
func kind(v json.RawMessage) string {
	v = bytes.TrimSpace(v)
	switch {
	case len(v) == 0:
		return "nothing"
	case v[0] == '"':
		return "a string"
	case v[0] == '{':
		return "an object"
	case v[0] == '[':
		return "an array"
	case v[0] == 'n':
		return "null"
	case v[0] == 't', v[0] == 'f':
		return "a boolean"
	}
	return "a number"
}

// quote quotes a value of an event for a message, shortened to fit a log line.
func quote(s string) string {
	const maxLength = 160
	if len(s) > maxLength {
		return strconv.Quote(s[:maxLength]) + fmt.Sprintf(" and %d bytes more", len(s)-maxLength)
	}
	return strconv.Quote(s)
}

// delivers reports whether the stack's rule delivers a DEPLOY whose detail has a project:
// one that is the environment's or empty, or an array with it, and what has no value, an
// object or an empty array. EventBridge compares each value in an array (EventBridge
// user guide, "Arrays").
func delivers(project string, v json.RawMessage) bool {
	values := scalars(v)
	for _, value := range values {
		if s, ok := text(value); ok && (s == project || s == "") {
			return true
		}
	}
	return len(values) == 0
}

// scalars returns the strings, numbers, booleans and nulls of a JSON value: itself, or
// those of an array; none of an object.
func scalars(v json.RawMessage) (all []json.RawMessage) {
	switch kind(v) {
	case "an object":
		return nil
	case "an array":
		var elements []json.RawMessage
		if json.Unmarshal(v, &elements) != nil {
			return nil
		}
		for _, element := range elements {
			all = append(all, scalars(element)...)
		}
		return all
	}
	return []json.RawMessage{v}
}
