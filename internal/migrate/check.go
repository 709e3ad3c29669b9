package migrate

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxSize is the maximum size of an environment file in bytes.
const maxSize = 1 << 20

// text returns a fault if the file is not a text whose lines can be edited.
func (f *file) text() error {
	if len(f.data) > maxSize {
		return f.fault(nil, fmt.Sprintf("the file has more than %d bytes, and is no environment file", maxSize),
			"is it the right file?")
	}
	at := &yaml.Node{Line: 1, Column: 1} // the position in the loop below
	for rest := bytes.TrimPrefix(f.data, []byte(mark)); len(rest) > 0; at.Column++ {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			return f.fault(at, fmt.Sprintf("the file is not text: byte %#.2x is not UTF-8", rest[0]),
				"save it as UTF-8, if this is an environment file")
		case r < ' ' && !strings.ContainsRune("\t\n\r", r), r == 0x7f:
			return f.fault(at, fmt.Sprintf("the file is not text: it has the control character %#.2x", r),
				"remove it, if this is an environment file")
		case r == '\r' && (len(rest) < 2 || rest[1] != '\n'):
			return f.fault(at, "a carriage return without a line feed: YAML ends the line here, other tools do not",
				"end lines with a line feed, or with both")
		case r == '\n':
			at.Line, at.Column = at.Line+1, 0
		}
		rest = rest[size:]
	}
	return nil
}

// unique returns a fault if a mapping anywhere in the file has a key twice, because it
// is not defined which value counts.
func (f *file) unique(n *yaml.Node, path string) error {
	first := map[string]*yaml.Node{}
	for i, child := range n.Content {
		inner := path + "[" + strconv.Itoa(i) + "]"
		if n.Kind == yaml.MappingNode {
			key := n.Content[i-i%2]
			inner = strings.TrimPrefix(path+"."+key.Value, ".")
			other := first[key.Value]
			if i%2 == 0 && key.Kind == yaml.ScalarNode {
				if other != nil {
					return f.fault(key, "`"+inner+"` is set a second time, after line "+strconv.Itoa(other.Line),
						"remove one of the two")
				}
				first[key.Value] = key
			}
		}
		if err := f.unique(child, inner); err != nil {
			return err
		}
	}
	return nil
}
