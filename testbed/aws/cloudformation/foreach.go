package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The intrinsic function of loops (CloudFormation template reference, "Fn::ForEach").
const (
	forEach    = "Fn::ForEach::"
	extensions = "AWS::LanguageExtensions"
)

// loopSections are the sections in which loops are expanded; in others they are errors.
var loopSections = []string{"Conditions", "Resources", "Outputs"}

var (
	alphanumeric    = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]`)
)

// loops expands the loops of a template, as the transform AWS::LanguageExtensions does before the stack is created.
type loops struct {
	parameters map[string]any
	resources  any             // the section, whose logical ids a loop must not have as its name
	transforms []string        // of the template
	names      map[string]bool // of the loops that were expanded
}

// expand replaces the loops in a template's sections, and checks the logical ids of these. Parameters are the resolved
// parameters of the stack.
func expand(document, parameters map[string]any) error {
	l := &loops{parameters: parameters, resources: document["Resources"],
		transforms: transforms(document["Transform"]), names: map[string]bool{}}
	for _, section := range loopSections {
		members, ok := document[section].(map[string]any)
		if !ok {
			continue
		}
		expanded, err := l.object(members, nil)
		if err != nil {
			return fmt.Errorf("section %s: %w", section, err)
		}
		for _, id := range slices.Sorted(maps.Keys(expanded)) {
			if !alphanumeric.MatchString(id) {
				return fmt.Errorf("section %s: name %q is not alphanumeric", section, id)
			}
		}
		document[section] = expanded
	}
	return nil
}

// transforms returns the names in the section Transform, which is a name or a list of them.
func transforms(section any) (names []string) {
	list, ok := section.([]any)
	if !ok {
		list = []any{section}
	}
	for _, element := range list {
		if name, ok := element.(string); ok {
			names = append(names, name)
		}
	}
	return names
}

// value expands the loops in a value. Identifiers are those of the loops around it.
func (l *loops) value(value any, identifiers []string) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		return l.object(value, identifiers)
	case []any:
		list := make([]any, len(value))
		for i, element := range value {
			var err error
			if list[i], err = l.value(element, identifiers); err != nil {
				return nil, err
			}
		}
		return list, nil
	default:
		return value, nil
	}
}

func (l *loops) object(object map[string]any, identifiers []string) (map[string]any, error) {
	if !hasLoop(object) {
		return object, nil
	}
	expanded := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		entries := map[string]any{key: object[key]}
		var err error
		if name, isLoop := strings.CutPrefix(key, forEach); isLoop {
			if entries, err = l.loop(name, object[key], identifiers); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		} else if entries[key], err = l.value(object[key], identifiers); err != nil {
			return nil, err
		}
		if err := add(expanded, entries); err != nil {
			return nil, err
		}
	}
	return expanded, nil
}

// hasLoop reports whether there is a loop in a value.
func hasLoop(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if strings.HasPrefix(key, forEach) || hasLoop(member) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, hasLoop)
	}
	return false
}

// loop returns the entries that a loop stands for: its fragment for each value of its collection.
func (l *loops) loop(name string, value any, identifiers []string) (map[string]any, error) {
	operands, _ := value.([]any)
	if len(operands) != 3 {
		return nil, errors.New("it takes an identifier, a collection and a fragment")
	}
	identifier, _ := operands[0].(string)
	fragment, _ := operands[2].(map[string]any)
	if err := l.check(name, identifier, fragment, identifiers); err != nil {
		return nil, err
	}
	collection, err := l.collection(operands[1])
	if err != nil {
		return nil, err
	}
	if l.names[name] && len(identifiers) == 0 { // an inner loop is expanded once for each element of the outer one
		return nil, errors.New("the name of the loop is not unique")
	}
	l.names[name] = true
	entries, inner := map[string]any{}, append(slices.Clone(identifiers), identifier)
	for _, element := range collection {
		expanded, err := l.object(substitute(fragment, identifier, element).(map[string]any), inner)
		if err != nil {
			return nil, err
		}
		if err := add(entries, expanded); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// add adds entries to an object that does not have them.
func add(object, entries map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if _, twice := object[key]; twice {
			return fmt.Errorf("duplicate key %q", key)
		}
		object[key] = entries[key]
	}
	return nil
}

// check returns an error for a loop that CloudFormation does not accept.
func (l *loops) check(name, identifier string, fragment map[string]any, identifiers []string) error {
	ids, _ := l.resources.(map[string]any)
	_, taken := ids[name]
	switch {
	case !slices.Contains(l.transforms, extensions):
		return fmt.Errorf("it needs the Transform %s", extensions)
	case !alphanumeric.MatchString(name):
		return errors.New("the name of the loop is not alphanumeric")
	case taken:
		return errors.New("the name of the loop is the logical id of a resource")
	case identifier == "" || len(fragment) == 0:
		return errors.New("it takes an identifier, a collection and a fragment")
	case slices.Contains(identifiers, identifier):
		return fmt.Errorf("the identifier %s is that of a loop around it", identifier)
	case len(identifiers) == 5:
		return errors.New("loops are nested more than five deep")
	}
	for key := range fragment {
		inner := strings.HasPrefix(key, forEach) // its own keys have the identifiers
		if !inner && substituteText(key, identifier, "") == key {
			return fmt.Errorf("the key %q has neither ${%s} nor &{%[2]s}", key, identifier)
		}
	}
	return nil
}

// collection returns the values of a loop: a list, or a Ref to a parameter of type CommaDelimitedList.
func (l *loops) collection(value any) ([]string, error) {
	if object, ok := value.(map[string]any); ok {
		name, operand, _ := function(object)
		id, _ := operand.(string)
		list, isList := l.parameters[id].([]any)
		if name != "Ref" || !isList {
			return nil, errors.New("its collection is neither a list nor a Ref to a CommaDelimitedList")
		}
		value = list
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("its collection is %s, not a list", describe(value))
	}
	var texts []string
	for _, element := range list {
		text, ok := element.(string)
		if !ok {
			return nil, fmt.Errorf("its collection has %s, not a string", describe(element))
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// substitute replaces the identifier of a loop by an element of its collection: as a Ref, and in all texts.
func substitute(value any, identifier, element string) any {
	switch value := value.(type) {
	case string:
		return substituteText(value, identifier, element)
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = substitute(value[i], identifier, element)
		}
		return list
	case map[string]any:
		if len(value) == 1 && value["Ref"] == identifier {
			return element
		}
		object := map[string]any{}
		for key := range value {
			object[substituteText(key, identifier, element)] = substitute(value[key], identifier, element)
		}
		return object
	default:
		return value
	}
}

// substituteText replaces ${identifier} by the element, and &{identifier} by the element without the characters that a
// logical id cannot have.
func substituteText(text, identifier, element string) string {
	return strings.NewReplacer("${"+identifier+"}", element,
		"&{"+identifier+"}", notAlphanumeric.ReplaceAllString(element, "")).Replace(text)
}
