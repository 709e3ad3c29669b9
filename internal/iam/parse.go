package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// actionForm matches a service prefix and an action, which may have wildcards, or *.
var actionForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$`)
})

// Parse parses a policy document. As in IAM, a list of one may be written without
// brackets. The error names the statement by its number, from 1. Condition operators
// that are not supported, policy variables and NotPrincipal are errors.
func Parse(doc []byte) (*Document, error) {
	var members map[string]any
	if err := json.Unmarshal(doc, &members); err != nil {
		return nil, fmt.Errorf("parsing policy: not JSON, which has no comments: %w", err)
	}
	d := &Document{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		var err error
		switch name {
		case "Version":
			if value != "2012-10-17" && value != "2008-10-17" {
				err = fmt.Errorf("the Version is %v, not 2012-10-17 or 2008-10-17", value)
			}
		case "Id":
		case "Statement":
			d.statements, err = parseStatements(value)
		default:
			err = fmt.Errorf("unknown element %q", name)
		}
		if err != nil {
			return nil, fmt.Errorf("parsing policy: %w", err)
		}
	}
	if len(d.statements) == 0 {
		return nil, errors.New("parsing policy: it has no Statement")
	}
	return d, nil
}

func parseStatements(value any) ([]statement, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var statements []statement
	for i, element := range list {
		members, ok := element.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("statement %d is not an object", i+1)
		}
		s, err := parseStatement(members)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
		statements = append(statements, s)
	}
	return statements, nil
}

func parseStatement(members map[string]any) (statement, error) {
	s := statement{resources: patterns{globs: newGlobs([]string{"*"})}}
	for _, pair := range [][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}} {
		if members[pair[0]] != nil && members[pair[1]] != nil {
			return s, fmt.Errorf("both %s and %s are given", pair[0], pair[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		var err error
		switch name {
		case "Sid":
			s.sid, _ = value.(string)
		case "Effect":
			s.effect, err = parseEffect(value)
		case "Principal":
			s.principals, err = parsePrincipals(value)
		case "Action", "NotAction":
			s.actions, err = parseActions(name, value)
		case "Resource", "NotResource":
			s.resources, err = parseResources(name, value)
		case "Condition":
			s.conditions, err = parseConditions(value)
		default:
			err = fmt.Errorf("%q is not a supported element", name)
		}
		if err != nil {
			return s, err
		}
	}
	if s.effect == NoMatch {
		return s, errors.New("it has no Effect")
	}
	if s.actions.globs == nil {
		return s, errors.New("it has neither Action nor NotAction")
	}
	return s, nil
}

func parseEffect(value any) (Decision, error) {
	switch value {
	case "Allow":
		return Allow, nil
	case "Deny":
		return Deny, nil
	default:
		return NoMatch, fmt.Errorf("the Effect is %v, not Allow or Deny", value)
	}
}

func parseActions(name string, value any) (patterns, error) {
	actions, err := parseStrings(value)
	if err != nil {
		return patterns{}, fmt.Errorf("%s %w", name, err)
	}
	for i, action := range actions {
		if !actionForm().MatchString(action) {
			return patterns{}, fmt.Errorf("%s %q is not a service and an action, like ecs:UpdateService", name, action)
		}
		actions[i] = strings.ToLower(action)
	}
	return patterns{globs: newGlobs(actions), not: name == "NotAction", fold: true}, nil
}

func parseResources(name string, value any) (patterns, error) {
	resources, err := parseStrings(value)
	if err != nil {
		return patterns{}, fmt.Errorf("%s %w", name, err)
	}
	for _, resource := range resources {
		if resource != "*" && !strings.HasPrefix(resource, "arn:") {
			return patterns{}, fmt.Errorf("%s %q is neither * nor an ARN", name, resource)
		}
	}
	return patterns{globs: newGlobs(resources), not: name == "NotResource"}, nil
}

// parseStrings reads a string or a list of strings. Values of conditions may be numbers
// and booleans.
func parseStrings(value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	if len(list) == 0 {
		return nil, errors.New("is empty")
	}
	var values []string
	for _, element := range list {
		s := ""
		switch element := element.(type) {
		case string:
			s = element
		case bool:
			s = strconv.FormatBool(element)
		case float64:
			s = strconv.FormatFloat(element, 'f', -1, 64)
		default:
			return nil, errors.New("must be a string or a list of strings")
		}
		if strings.Contains(s, "${") {
			return nil, fmt.Errorf("has the policy variable of %q, which is not supported", s)
		}
		values = append(values, s)
	}
	return values, nil
}
