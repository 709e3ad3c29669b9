package outcome

import (
	"bytes"
	"encoding/json"
	"fmt"
)

const (
	// maxEvent is the maximum number of bytes of the original event in an outcome. A
	// bus accepts 1 MB in one call, but SNS, as a target of rules, 256 KB.
	maxEvent = 192 << 10
	// maxDepth is the maximum number of levels of the original event. An event on a
	// bus may have 1000 levels, and the outcome adds its own.
	maxDepth = 900
)

// Detail returns the outcome as JSON: the detail of its event.
func (o Outcome) Detail() json.RawMessage { return marshal(o) }

// embed returns the original event as an outcome holds it: itself if it is a JSON
// object, else as a JSON string, and a note instead of an event that is too large.
// Whatever a sender wrote, the rejection of its event must be published.
func embed(event json.RawMessage) json.RawMessage {
	event = bytes.ToValidUTF8(bytes.TrimSpace(event), []byte("\uFFFD"))
	if len(event) == 0 {
		return nil
	}
	if event[0] != '{' || !json.Valid(event) || depth(event) > maxDepth {
		event = marshal(string(event))
	}
	// Encoding can make an event larger.
	text := marshal(event)
	if len(text) <= maxEvent {
		return text
	}
	return marshal(fmt.Sprintf("left out: the event has %d bytes, the maximum in an outcome is %d", len(event),
		maxEvent))
}

// depth returns the number of nested levels of objects and arrays in valid JSON.
func depth(data []byte) (deepest int) {
	level, inText := 0, false
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// marshal encodes a value that can always be encoded, and does not escape <, > and &.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("encoding an outcome: %v", err)) // embed let an invalid event through
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
