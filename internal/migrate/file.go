package migrate

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"deployer/internal/environment"
)

// file is an environment file as text, with its top-level keys.
type file struct {
	name         string
	data         []byte
	root         *yaml.Node
	keys, values map[string]*yaml.Node
	lines        []int // the offset of each line's first byte
	edits        []edit
}

// edit replaces the bytes from one offset to another.
type edit struct {
	from, to int
	text     string
}

func (f *file) fault(n *yaml.Node, what, fix string) error {
	fault := environment.Fault{File: f.name, What: what, Fix: fix}
	if n != nil {
		fault.Line, fault.Col = n.Line, n.Column
	}
	return environment.Printable(environment.Faults{fault})
}

// parse parses the file's only document, which must be a block mapping: otherwise no
// line can be added without changing another.
func parse(name string, data []byte) (*file, error) {
	f := &file{name: name, data: data, keys: map[string]*yaml.Node{}, values: map[string]*yaml.Node{}}
	if err := f.text(); err != nil {
		return nil, err
	}
	// For a file that is not an environment, report what Parse reports.
	if _, err := environment.Parse(name, data); errors.Is(err, environment.ErrNotEnvironment) {
		return nil, err
	}
	document, second, err := documentOf(data)
	var load *yaml.LoadError
	switch {
	case errors.As(err, &load):
		at := &yaml.Node{Line: load.Mark.Line, Column: load.Mark.Column}
		return nil, f.fault(at, "reading YAML: "+load.Message, "correct it first")
	case err != nil:
		return nil, f.fault(nil, err.Error(), "mend it first")
	case second != nil:
		return nil, f.fault(second, "a second YAML document begins here",
			"keep one document, and one environment, per file")
	}
	f.root = document.Content[0]
	if f.root.Style&yaml.FlowStyle != 0 {
		return nil, f.fault(f.root, "the file's keys are in braces, so that no line can be added",
			"write one key per line, or set ecr_strategy by hand")
	}
	if err := f.unique(f.root, ""); err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(f.root.Content); i += 2 {
		key, value := f.root.Content[i], f.root.Content[i+1]
		for value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		f.keys[key.Value], f.values[key.Value] = key, value
	}
	if env := f.values["env"]; isNull(env) || env.Kind != yaml.ScalarNode || env.Value == "" {
		return nil, f.fault(f.root, "`env` is not set on a line of its own", "add the line: env: dev")
	}
	f.lines = []int{0}
	for i, b := range data {
		if b == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	return f, nil
}

// documentOf returns a file's first document, and its second if it has more.
func documentOf(data []byte) (document, second *yaml.Node, err error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	document, second = &yaml.Node{}, &yaml.Node{}
	if err := loader.Load(document); err != nil {
		return nil, nil, err
	}
	err = loader.Load(second)
	if errors.Is(err, io.EOF) {
		return document, nil, nil
	}
	return document, second, err
}

const mark = "\ufeff" // the byte order mark

// offset returns the offset of a node's first byte.
func (f *file) offset(n *yaml.Node) (int, error) {
	if n.Line < 1 || n.Line > len(f.lines) {
		return 0, f.fault(n, "its position in the file is unknown", "set ecr_strategy by hand")
	}
	at := f.lines[n.Line-1]
	if n.Line == 1 && bytes.HasPrefix(f.data, []byte(mark)) {
		at += len(mark)
	}
	for range n.Column - 1 { // columns count characters
		_, size := utf8.DecodeRune(f.data[at:])
		at += size
	}
	return at, nil
}

// line returns the offsets of the line that holds an offset: its first byte, the
// end of its text, and the first byte of the next line.
func (f *file) line(at int) (begin, end, next int) {
	begin = bytes.LastIndexByte(f.data[:at], '\n') + 1
	next = len(f.data)
	if i := bytes.IndexByte(f.data[at:], '\n'); i >= 0 {
		next = at + i + 1
	}
	end = begin + len(strings.TrimRight(string(f.data[begin:next]), "\r\n"))
	return begin, end, next
}

// insertAfter adds a line after a key whose value is on the key's line, with the same
// indentation and line end.
func (f *file) insertAfter(key, value *yaml.Node, text string) error {
	at, err := f.offset(key)
	if err != nil {
		return err
	}
	begin, end, next := f.line(at)
	indent := strings.TrimPrefix(string(f.data[begin:at]), mark)
	if strings.Trim(indent, " ") != "" || value.Kind != yaml.ScalarNode || value.Line != key.Line ||
		value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.ContainsAny(value.Value, "\n") {
		return f.fault(key, "`"+key.Value+"` is not on one line, after which another could be added",
			"write it like: "+key.Value+": dev")
	}
	newline := string(f.data[end:next])
	if newline == "" { // the last line of the file
		newline = "\n"
		if bytes.Contains(f.data, []byte("\r\n")) {
			newline = "\r\n"
		}
		f.edits = append(f.edits, edit{next, next, newline + indent + text})
		return nil
	}
	f.edits = append(f.edits, edit{next, next, indent + text + newline})
	return nil
}

// replaceValue replaces the null or empty value of a key.
func (f *file) replaceValue(key *yaml.Node, text string) error {
	at, err := f.offset(key)
	if err != nil {
		return err
	}
	_, end, _ := f.line(at)
	colon := bytes.IndexByte(f.data[at:end], ':')
	if colon < 0 {
		return f.fault(key, "`"+key.Value+"` is not followed by a colon on the same line",
			"write it like: "+key.Value+": "+text)
	}
	begin := at + colon + 1
	rest := string(f.data[begin:end])
	value, comment := rest, ""
	if i := strings.Index(rest, " #"); i >= 0 {
		value, comment = rest[:i], rest[i:]
	}
	switch strings.TrimSpace(value) {
	case "", "~", "null", "Null", "NULL", `""`, "''":
	default:
		return f.fault(key, "`"+key.Value+"` is empty in a form that cannot be changed in place",
			"write it like: "+key.Value+": "+text)
	}
	f.edits = append(f.edits, edit{begin, end - len(comment), " " + text})
	return nil
}

// apply returns the file's content with all edits.
func (f *file) apply() []byte {
	slices.SortStableFunc(f.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var b bytes.Buffer
	last := 0
	for _, e := range f.edits {
		b.Write(f.data[last:e.from])
		b.WriteString(e.text)
		last = e.to
	}
	b.Write(f.data[last:])
	return b.Bytes()
}

// verify parses the changed file and compares every node except the two that may
// change, so that a wrong edit is never written.
func (f *file) verify(data []byte) error {
	document, _, err := documentOf(data)
	if err != nil {
		return f.fault(nil, "the changed file could not be read again: "+err.Error(),
			"set ecr_strategy by hand, and report this file")
	}
	if a, b := others(f.root), others(document.Content[0]); len(a) != len(b) || !slices.EqualFunc(a, b, same) {
		return f.fault(f.root, "the change would have altered other keys",
			"set ecr_strategy by hand, and report this file")
	}
	return nil
}

// others returns the top-level keys and values, except the two that may change.
func others(root *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := root.Content[i].Value; key != "ecr_strategy" && key != "schema_version" {
			all = append(all, root.Content[i], root.Content[i+1])
		}
	}
	return all
}

// same reports whether two nodes are written in the same way, at any position.
func same(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && a.Style == b.Style && a.Anchor == b.Anchor &&
		slices.EqualFunc(a.Content, b.Content, same)
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}
