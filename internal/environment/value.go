package environment

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// text returns the value of key as the file has it, so that 012345670123 keeps its
// zero; "" if it is absent, null or empty. Anything but a plain value is a fault.
func (s section) text(key string) string {
	n := s.values[key]
	if isNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		s.fault(key, "is "+kindOf(n)+", not a plain value", "")
		return ""
	}
	if n.Tag != "" && n.Tag[0] == '!' && (len(n.Tag) == 1 || n.Tag[1] != '!') {
		s.fault(key, "has the tag "+shown(n.Tag),
			"write the value itself: the deployer does not evaluate tags")
		return ""
	}
	return n.Value
}

// plain returns the plain value of a key that the function does not need: any other value
// is no fault.
func (s section) plain(key string) string {
	if n := s.values[key]; !isNull(n) && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// list returns the items of the sequence under key, and whether the file has one. An
// empty list counts, null does not.
func (s section) list(key string) ([]*yaml.Node, bool) {
	n := s.values[key]
	if isNull(n) {
		return nil, false
	}
	if n.Kind != yaml.SequenceNode {
		s.fault(key, "is "+kindOf(n)+", not a list", "write it as: "+key+": [...]")
		return nil, false
	}
	return n.Content, true
}

// texts returns the list of plain values under key, and whether the file has one.
func (s section) texts(key string) ([]string, bool) {
	items, ok := s.list(key)
	if !ok {
		return nil, false
	}
	texts := []string{}
	for _, place := range items {
		item := resolved(place)
		if item.Kind != yaml.ScalarNode || item.Value == "" || isNull(item) {
			s.reader.fault(place, "`"+s.path+key+"` has an item that is not a plain value", "write each item as text")
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
