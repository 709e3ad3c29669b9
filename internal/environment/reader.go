package environment

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// reader reads a YAML tree and collects the faults of the whole file, so that they
// can be corrected at once.
type reader struct {
	file     string
	faults   Faults
	warnings Faults
	advice   Faults
	keys     int // read so far, those of merged mappings once for each merge
}

// maxKeys is how many keys of a file are read. A file of 1 kB can merge mappings into
// each other so that they have more keys than can be read in a lifetime.
const maxKeys = 100_000

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

// sorted sorts faults by their position in the file.
func sorted(f Faults) Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return f
}

// root parses the file's only document and returns its mapping. It returns nil after
// adding a fault if there is none.
func (r *reader) root(data []byte) *yaml.Node {
	if len(data) > maxSize {
		r.fault(nil, "the file has more than "+strconv.Itoa(maxSize)+" bytes, and is no environment file",
			"is it the right file?")
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		r.fault(nil, "reading YAML: "+err.Error(), "")
		return nil
	}
	var doc, second yaml.Node
	err = loader.Load(&doc)
	switch {
	case errors.Is(err, io.EOF):
		r.faults = append(r.faults, Fault{File: r.file, What: "the file is empty: it has no `env` key",
			Fix: "describe the environment: project, env, region, ecr_strategy", Err: ErrNotEnvironment})
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	err = loader.Load(&second)
	switch {
	case err == nil:
		r.fault(second.Content[0], "a second YAML document begins here",
			"keep one document, and one environment, per file")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(err)
		return nil
	}
	n := resolved(doc.Content[0])
	if n.Kind != yaml.MappingNode {
		r.faults = append(r.faults, Fault{File: r.file, Line: n.Line, Col: n.Column, What: "the file is " + kindOf(n) +
			", not keys and values: it has no `env` key", Err: ErrNotEnvironment})
		return nil
	}
	return n
}

// syntax adds a fault for an error of the YAML parser, at the position that it reports.
func (r *reader) syntax(err error) {
	f := Fault{File: r.file, What: "reading YAML: " + err.Error()}
	var load *yaml.LoadError
	if errors.As(err, &load) && load.Mark.Line > 0 {
		f.Line, f.Col, f.What = load.Mark.Line, load.Mark.Column, "reading YAML: "+load.Message
		if load.ContextMsg != "" {
			f.What += ", " + load.ContextMsg
			if load.ContextMark.Line > 0 && load.ContextMark.Line != load.Mark.Line {
				f.What += " that starts in line " + strconv.Itoa(load.ContextMark.Line)
			}
		}
	}
	r.faults = append(r.faults, f)
}

// section is a mapping in the file.
type section struct {
	reader *reader
	node   *yaml.Node // of the mapping, or what the file has in its place; nil if nothing
	path   string     // for messages: "deployer.", "services[2].", or ""
	keys   map[string]*yaml.Node
	values map[string]*yaml.Node
}

// section reads n as a mapping. A key that is one edit away from a known key is a
// warning; other unknown keys are accepted. If n is absent or null, the section is empty.
func (r *reader) section(n *yaml.Node, path string, known ...string) section {
	s := section{reader: r, path: path, keys: map[string]*yaml.Node{}, values: map[string]*yaml.Node{}}
	n = resolved(n)
	s.node = n
	if isNull(n) {
		return s
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n, "`"+path[:max(0, len(path)-1)]+"` is "+kindOf(n)+", not keys and values", "")
		return s
	}
	s.add(n, map[*yaml.Node]bool{})
	for _, key := range s.unknown(known) {
		if near := Nearest(key, known); near != "" {
			r.warn(s.keys[key], "`"+path+shown(key)+"` is not a key the deployer reads", "did you mean `"+near+"`?")
		}
	}
	return s
}

// unknown returns the keys of the mapping that are not known, sorted.
func (s section) unknown(known []string) []string {
	keys := slices.Sorted(maps.Keys(s.keys))
	return slices.DeleteFunc(keys, func(k string) bool { return slices.Contains(known, k) })
}

// add adds the keys of mapping n, and those of the mappings that it merges with `<<`.
// A merged key never replaces a key of the mapping itself. Read are the mappings that
// were added before: a mapping can merge another one many times, and itself.
func (s *section) add(n *yaml.Node, read map[*yaml.Node]bool) {
	if read[n] {
		return
	}
	merged := len(read) > 0
	read[n] = true
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content) && s.reader.another(s.node); i += 2 {
		key, value := resolved(n.Content[i]), resolved(n.Content[i+1])
		if key.Kind != yaml.ScalarNode {
			continue // a key of the deployer is text
		}
		if key.Tag == "!!merge" {
			merges = append(merges, value)
			continue
		}
		if first, ok := s.keys[key.Value]; ok {
			if !merged {
				s.reader.fault(key, "`"+s.path+shown(key.Value)+"` is set a second time, after line "+
					strconv.Itoa(first.Line), "remove one of the two")
			}
			continue
		}
		s.keys[key.Value], s.values[key.Value] = key, value
	}
	for _, m := range merges {
		all := []*yaml.Node{m}
		if m.Kind == yaml.SequenceNode {
			all = m.Content
		}
		for _, one := range all {
			if one = resolved(one); one.Kind != yaml.MappingNode {
				s.reader.fault(one, "`"+s.path+"<<` merges "+kindOf(one)+", not keys and values",
					"name a mapping that has an anchor: <<: *name")
				continue
			}
			s.add(one, read)
		}
	}
}

// another counts a key that is read for mapping n, and reports whether it may be: with
// more than maxKeys, the file has a fault.
func (r *reader) another(n *yaml.Node) bool {
	r.keys++
	if r.keys == maxKeys+1 {
		r.fault(n, "the file has more than "+strconv.Itoa(maxKeys)+" keys, with those that `<<` merges",
			"write each workload's own keys, and merge fewer mappings")
	}
	return r.keys <= maxKeys
}

// text returns the value of key as the file has it, so that 012345670123 keeps its
// zero; "" if it is absent, null or empty. Anything but a plain value is a fault.
func (s section) text(key string) string {
	n := s.values[key]
	if isNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		s.reader.fault(n, "`"+s.path+key+"` is "+kindOf(n)+", not a plain value", "")
		return ""
	}
	if n.Tag != "" && n.Tag[0] == '!' && (len(n.Tag) == 1 || n.Tag[1] != '!') {
		s.reader.fault(n, "`"+s.path+key+"` has the tag "+shown(n.Tag),
			"write the value itself: the deployer does not evaluate tags")
		return ""
	}
	return n.Value
}

// list returns the items of the sequence under key, and whether the file has one. An
// empty list counts, null does not.
func (s section) list(key string) ([]*yaml.Node, bool) {
	n := s.values[key]
	if isNull(n) {
		return nil, false
	}
	if n.Kind != yaml.SequenceNode {
		s.reader.fault(n, "`"+s.path+key+"` is "+kindOf(n)+", not a list", "write it as: "+key+": [...]")
		return nil, false
	}
	items := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		items[i] = resolved(item)
	}
	return items, true
}

// texts returns the list of plain values under key, and whether the file has one.
func (s section) texts(key string) ([]string, bool) {
	items, ok := s.list(key)
	if !ok {
		return nil, false
	}
	texts := []string{}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.Value == "" {
			s.reader.fault(item, "`"+s.path+key+"` has an item that is not a plain value", "write each item as text")
			continue
		}
		texts = append(texts, item.Value)
	}
	return texts, true
}

// oneOrMore returns the plain value under key, or the items of the list there.
func (s section) oneOrMore(key string) []string {
	if n := s.values[key]; n != nil && n.Kind == yaml.SequenceNode {
		texts, _ := s.texts(key)
		return texts
	}
	if v := s.text(key); v != "" {
		return []string{v}
	}
	return nil
}

// flag returns the boolean under key, in quotes or not; absent if the file does not
// have it, or has null. YAML 1.1 values such as no are accepted with a warning, because
// readers of YAML 1.2 take them for text.
func (s section) flag(key string, absent bool) bool {
	v := s.text(key)
	switch strings.ToLower(v) {
	case "":
		return absent
	case "true", "false":
		return strings.EqualFold(v, "true")
	case "yes", "on", "y", "no", "off", "n":
		is := strings.EqualFold(v, "yes") || strings.EqualFold(v, "on") || strings.EqualFold(v, "y")
		s.warn(key, "is "+quote(v)+", read as "+strconv.FormatBool(is), "write "+strconv.FormatBool(is)+
			": some readers of YAML take "+v+" for text")
		return is
	}
	s.fault(key, "is "+quote(v), "write true or false")
	return absent
}

// place returns the node at which a fault of key is reported: its value, else the
// key, else the mapping.
func (s section) place(key string) *yaml.Node {
	if n := s.values[key]; n != nil && n.Line > 0 {
		return n
	}
	if n := s.keys[key]; n != nil {
		return n
	}
	return s.node
}

// fault adds a fault about a key. What goes on after the key's name: "is not set".
func (s section) fault(key, what, fix string) {
	s.reader.fault(s.place(key), "`"+s.path+key+"` "+what, fix)
}

// warn adds a warning about a key.
func (s section) warn(key, what, fix string) {
	s.reader.warn(s.place(key), "`"+s.path+key+"` "+what, fix)
}

// adviseOn adds advice about a key, as a warning.
func (s section) adviseOn(key, what, fix string) {
	f := s.reader.at(s.place(key), "`"+s.path+key+"` "+what, fix)
	f.Warning = true
	s.reader.advice = append(s.reader.advice, f)
}

// note adds a note about a key to the advice.
func (s section) note(key, what, fix string) {
	f := s.reader.at(s.place(key), "`"+s.path+key+"` "+what, fix)
	f.Note = true
	s.reader.advice = append(s.reader.advice, f)
}

// resolved returns the node that an alias refers to, or n itself.
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
	return "a single value"
}
