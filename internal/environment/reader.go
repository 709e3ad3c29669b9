package environment

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// reader walks a YAML tree and collects what it finds wrong, so that a person
// mends a file once and not fault by fault.
type reader struct {
	file     string
	faults   Faults
	warnings Faults
}

func (r *reader) fault(n *yaml.Node, what, fix string) {
	r.faults = append(r.faults, r.at(n, what, fix))
}

func (r *reader) warn(n *yaml.Node, what, fix string) {
	f := r.at(n, what, fix)
	f.Warning = true
	r.warnings = append(r.warnings, f)
}

func (r *reader) at(n *yaml.Node, what, fix string) Fault {
	f := Fault{File: r.file, What: what, Fix: fix}
	if n != nil {
		f.Line, f.Col = n.Line, n.Column
	}
	return f
}

// sorted orders faults by their place in the file.
func sorted(f Faults) Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return f
}

// root parses the one document of the file and returns its mapping, or nil
// after noting why there is none.
func (r *reader) root(data []byte) *yaml.Node {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		r.fault(nil, "reading YAML: "+err.Error(), "")
		return nil
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		r.faults = append(r.faults, Fault{File: r.file, What: "the file is empty: it has no `env` key", Fix: "describe the environment: project, env, region, ecr_strategy", Err: ErrNotEnvironment})
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		r.fault(second.Content[0], "a second YAML document begins here", "keep one document, and so one environment, in a file")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(err)
		return nil
	}
	n := resolved(doc.Content[0])
	if n.Kind != yaml.MappingNode {
		r.faults = append(r.faults, Fault{File: r.file, Line: n.Line, Col: n.Column, What: "the file is " + kindOf(n) + ", not keys and values: it has no `env` key", Err: ErrNotEnvironment})
		return nil
	}
	return n
}

// syntax notes a fault of the YAML itself, at the parser's place.
func (r *reader) syntax(err error) {
	f := Fault{File: r.file, What: "reading YAML: " + err.Error()}
	var load *yaml.LoadError
	if errors.As(err, &load) && load.Mark.Line > 0 {
		f.Line, f.Col, f.What = load.Mark.Line, load.Mark.Column, "reading YAML: "+load.Message
		if load.ContextMsg != "" {
			f.What += ", " + load.ContextMsg
			if load.ContextMark.Line > 0 && load.ContextMark.Line != load.Mark.Line {
				f.What += " that began in line " + strconv.Itoa(load.ContextMark.Line)
			}
		}
	}
	r.faults = append(r.faults, f)
}

// section is a mapping of the file: its values by key, each with the key's own node.
type section struct {
	*reader
	node   *yaml.Node // the mapping itself; nil if the file has none
	path   string     // for messages: "deployer.", "services[2].", or ""
	keys   map[string]*yaml.Node
	values map[string]*yaml.Node
}

// section reads n as a mapping. Keys beyond known are not ours to refuse, but
// one that is a single edit away from a known key is a warning. An absent or
// null n gives an empty section.
func (r *reader) section(n *yaml.Node, path string, known ...string) section {
	s := section{reader: r, path: path, keys: map[string]*yaml.Node{}, values: map[string]*yaml.Node{}}
	n = resolved(n)
	if isNull(n) {
		return s
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n, "`"+path[:max(0, len(path)-1)]+"` is "+kindOf(n)+", not keys and values", "")
		return s
	}
	s.node = n
	s.add(n, false, 0)
	for _, key := range s.unknown(known) {
		if near := Nearest(key, known); near != "" {
			r.warn(s.keys[key], "`"+path+key+"` is not a key the deployer reads", "did you mean `"+near+"`?")
		}
	}
	return s
}

// unknown returns the keys of the mapping that are not known, in a fixed order.
func (s section) unknown(known []string) []string {
	keys := slices.Sorted(maps.Keys(s.keys))
	return slices.DeleteFunc(keys, func(k string) bool { return slices.Contains(known, k) })
}

// add takes in the keys of mapping n, and of those it merges with `<<`, which
// never replace a key that the mapping has itself.
func (s *section) add(n *yaml.Node, merged bool, depth int) {
	const deepest = 16 // a mapping can merge itself; nobody nests merges so far on purpose
	if n.Kind != yaml.MappingNode || depth > deepest {
		return
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], resolved(n.Content[i+1])
		if key.Tag == "!!merge" {
			merges = append(merges, value)
			continue
		}
		if first, ok := s.keys[key.Value]; ok {
			if !merged {
				s.fault(key, "`"+s.path+key.Value+"` stands here a second time, after line "+strconv.Itoa(first.Line), "keep one of the two")
			}
			continue
		}
		s.keys[key.Value], s.values[key.Value] = key, value
	}
	for _, m := range merges {
		if m.Kind == yaml.SequenceNode {
			for _, one := range m.Content {
				s.add(resolved(one), true, depth+1)
			}
			continue
		}
		s.add(m, true, depth+1)
	}
}

// text returns the value of key as it is written in the file (`012345670123`
// stays as it is), "" if it is absent, null or empty. Anything but a plain value is a fault.
func (s section) text(key string) string {
	n := s.values[key]
	if isNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		s.fault(n, "`"+s.path+key+"` is "+kindOf(n)+", not a plain value", "")
		return ""
	}
	if n.Tag != "" && n.Tag[0] == '!' && (len(n.Tag) == 1 || n.Tag[1] != '!') {
		s.fault(n, "`"+s.path+key+"` is computed with "+n.Tag, "write the value itself: the deployer reads this file as it is")
		return ""
	}
	return n.Value
}

// list returns the items of the sequence under key, and whether the key is
// there at all (an empty list is; null is not).
func (s section) list(key string) ([]*yaml.Node, bool) {
	n := s.values[key]
	if isNull(n) {
		return nil, false
	}
	if n.Kind != yaml.SequenceNode {
		s.fault(n, "`"+s.path+key+"` is "+kindOf(n)+", not a list", "write it as: "+key+": [...]")
		return nil, false
	}
	items := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		items[i] = resolved(item)
	}
	return items, true
}

// texts returns a list of plain values, and whether the key is there at all.
func (s section) texts(key string) ([]string, bool) {
	items, ok := s.list(key)
	if !ok {
		return nil, false
	}
	texts := []string{}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.Value == "" {
			s.fault(item, "`"+s.path+key+"` has an item that is not a plain value", "write each item as text")
			continue
		}
		texts = append(texts, item.Value)
	}
	return texts, true
}

// place returns the node that a fault about key should point at: its value,
// else its key, else the mapping.
func (s section) place(key string) *yaml.Node {
	if n := s.values[key]; n != nil && n.Line > 0 {
		return n
	}
	if n := s.keys[key]; n != nil {
		return n
	}
	return s.node
}

// resolved follows an alias to the node it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	return "the single value " + strconv.Quote(n.Value)
}
