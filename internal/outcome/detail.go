package outcome

import (
	"bytes"
	"encoding/json"
	"fmt"
)

const (
	// mostEvent is how much of the original event an outcome carries. A bus
	// takes 1 MB in one call, but 256 KB is what SNS takes of an event.
	mostEvent = 192 << 10
	// deepest is how many levels the original event may have; an event on a bus
	// has 1000, and the outcome adds its own.
	deepest = 900
)

// Detail returns the outcome as JSON: the detail of its event.
func (o Outcome) Detail() json.RawMessage { return marshal(o) }

// embed returns the original event as it goes into an outcome: itself if it is
// an object, the text of anything else, and a note in place of one that is too
// large. Nothing that a sender wrote may keep its own rejection from being known.
func embed(event json.RawMessage) json.RawMessage {
	event = bytes.ToValidUTF8(bytes.TrimSpace(event), []byte("\uFFFD"))
	if len(event) == 0 {
		return nil
	}
	if event[0] != '{' || !json.Valid(event) || depth(event) > deepest {
		event = marshal(string(event))
	}
	// Encoded once more, for what stands in a text may grow.
	if text := marshal(event); len(text) <= mostEvent {
		return text
	}
	return marshal(fmt.Sprintf("left out: it has %d bytes, of which an outcome carries %d at most", len(event), mostEvent))
}

// depth returns how many levels of objects and arrays valid JSON has.
func depth(data []byte) (most int) {
	level, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			level++
			most = max(most, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return most
}

// marshal encodes what always can be: as JSON that leaves <, > and & as they are.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("encoding an outcome: %v", err)) // only of what embed let through
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
