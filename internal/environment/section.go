package environment

import (
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// section is a mapping in the file.
type section struct {
	reader *reader
	node   *yaml.Node // of the mapping, or what the file has in its place; nil if nothing
	path   string     // for messages: "deployer.", "services[2].", or ""
	keys   map[string]*yaml.Node
	values map[string]*yaml.Node // what aliases stand for
	places map[string]*yaml.Node // where the values are: if they are elsewhere, what refers to them
}

// section reads n as a mapping. A key that is one edit away from a known key, or another spelling of it, is a
// warning; other unknown keys are accepted. If n is absent or null, the section is empty.
func (r *reader) section(n *yaml.Node, path string, known ...string) section {
	s := section{reader: r, path: path, keys: map[string]*yaml.Node{}, values: map[string]*yaml.Node{},
		places: map[string]*yaml.Node{}, node: n}
	n = resolved(n)
	if isNull(n) {
		return s
	}
	if n.Kind != yaml.MappingNode {
		r.fault(s.node, "`"+path[:max(0, len(path)-1)]+"` is "+kindOf(n)+", not keys and values", "")
		return s
	}
	s.add(n, map[*yaml.Node]bool{})
	for _, key := range s.unknown(known) {
		near := Nearest(key, known)
		switch {
		case near == "":
		case path == "" && s.losesWorkloads(key, near):
			r.fault(s.keys[key], "`"+shown(key)+"` is not a key the deployer reads, and there is no `"+near+
				"`: what it lists would never be deployed", "did you mean `"+near+"`?")
		default:
			r.warn(s.keys[key], "`"+path+shown(key)+"` is not a key the deployer reads", "did you mean `"+near+"`?")
		}
	}
	return s
}

// losesWorkloads reports whether the file names its services, or its tasks, under a mistyped key alone. That is an
// error, though unknown keys are accepted: the value shows what is meant, and without it nothing would deploy them.
func (s section) losesWorkloads(key, near string) bool {
	value := s.values[key]
	lists := []string{"services", "scheduled_tasks", "event_processor_tasks"}
	if !slices.Contains(lists, near) || !isNull(s.values[near]) || value.Kind != yaml.SequenceNode {
		return false
	}
	for _, one := range value.Content {
		one = resolved(one)
		for i := 0; one.Kind == yaml.MappingNode && i+1 < len(one.Content); i += 2 {
			if one.Content[i].Value == "name" {
				return true
			}
		}
	}
	return false
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
		s.keys[key.Value], s.values[key.Value], s.places[key.Value] = key, value, n.Content[i+1]
		if merged || s.node.Kind == yaml.AliasNode {
			s.places[key.Value] = s.node
		}
	}
	for _, m := range merges {
		all := []*yaml.Node{m}
		if m.Kind == yaml.SequenceNode {
			all = m.Content
		}
		for _, one := range all {
			one = resolved(one)
			if one.Kind != yaml.MappingNode {
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

// place returns the node at which a fault of key is reported: its value, else the
// key, else the mapping.
func (s section) place(key string) *yaml.Node {
	if n := s.places[key]; n != nil && n.Line > 0 {
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
