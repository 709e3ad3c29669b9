package cloudformation

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// shortForms are the functions that have a YAML tag as short form.
var shortForms = []string{"And", "Equals", "GetAtt", "If", "Join", "Not", "Or", "Select", "Split", "Sub"}

var integer = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)$`)

// documents are the templates that were parsed, by their text: tests load the same few a thousand times.
var documents sync.Map

// parseDocument parses a template. Its nodes are shared and must not be changed.
func parseDocument(data []byte) (*yaml.Node, error) {
	if known, ok := documents.Load(string(data)); ok {
		return known.(*yaml.Node), nil
	}
	document := &yaml.Node{}
	if err := yaml.Load(data, document); err != nil {
		return nil, fmt.Errorf("parsing YAML: %w", err)
	}
	documents.Store(string(data), document)
	return document, nil
}

func parseYAML(data []byte) (map[string]any, error) {
	document, err := parseDocument(data)
	if err != nil {
		return nil, err
	}
	if len(document.Content) != 1 {
		return nil, errors.New("it is empty")
	}
	value, err := convert(document.Content[0])
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it is %s, not an object", describe(value))
	}
	return object, nil
}

// convert returns the JSON value of a node. A short form such as !Ref x becomes the long form {"Ref": "x"}.
func convert(node *yaml.Node) (any, error) {
	tag, short := strings.CutPrefix(node.Tag, "!")
	short = short && !strings.HasPrefix(tag, "!")
	value, err := convertPlain(node, short)
	if err != nil || !short {
		return value, err
	}
	switch {
	case tag == "Ref" || tag == "Condition":
		return map[string]any{tag: value}, nil
	case tag == "GetAtt":
		if s, ok := value.(string); ok {
			id, attribute, _ := strings.Cut(s, ".")
			value = []any{id, attribute}
		}
		return map[string]any{"Fn::GetAtt": value}, nil
	case slices.Contains(shortForms, tag):
		return map[string]any{"Fn::" + tag: value}, nil
	default:
		return nil, fmt.Errorf("line %d: function !%s is not supported", node.Line, tag)
	}
}

func convertPlain(node *yaml.Node, short bool) (any, error) {
	switch node.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i]
			if key.Kind != yaml.ScalarNode || key.Value == "<<" {
				return nil, fmt.Errorf("line %d: the key is not a plain scalar", key.Line)
			}
			value, err := convert(node.Content[i+1])
			if err != nil {
				return nil, err
			}
			if _, twice := object[key.Value]; twice {
				return nil, fmt.Errorf("line %d: duplicate key %q", key.Line, key.Value)
			}
			object[key.Value] = value
		}
		return object, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, element := range node.Content {
			value, err := convert(element)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.ScalarNode:
		return convertScalar(node, short)
	default:
		return nil, fmt.Errorf("line %d: CloudFormation does not support YAML aliases", node.Line)
	}
}

func convertScalar(node *yaml.Node, short bool) (any, error) {
	if short {
		return node.Value, nil
	}
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		return node.Value, nil
	case "!!null":
		return nil, nil
	case "!!bool":
		return node.Value == "true", nil
	case "!!int":
		if integer.MatchString(node.Value) {
			return json.Number(node.Value), nil
		}
	case "!!float":
		if json.Valid([]byte(node.Value)) {
			return json.Number(node.Value), nil
		}
	}
	return nil, fmt.Errorf("line %d: %s is ambiguous: quote it", node.Line, node.Value)
}

// describe names the type of a value for an error.
func describe(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the string %q", value)
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return fmt.Sprint(value)
	}
}
