package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// condition is one key of one operator of a Condition element.
type condition struct {
	operator operator
	key      string // in lower case, as IAM does not tell cases apart
	values   []string
	// whenMissing is the answer when the request does not have the key.
	whenMissing bool
}

// operator compares the request's value with one of the policy's.
type operator struct {
	compare func(policy, request string) bool
	// not turns the answer round: no value of the policy may match.
	not bool
}

func equal(policy, request string) bool { return policy == request }

// operators are the condition operators this package knows. ArnEquals and ArnLike are the same in IAM.
var operators = map[string]operator{
	"StringEquals":              {compare: equal},
	"StringNotEquals":           {compare: equal, not: true},
	"StringEqualsIgnoreCase":    {compare: strings.EqualFold},
	"StringNotEqualsIgnoreCase": {compare: strings.EqualFold, not: true},
	"StringLike":                {compare: glob},
	"StringNotLike":             {compare: glob, not: true},
	"ArnEquals":                 {compare: globARN},
	"ArnNotEquals":              {compare: globARN, not: true},
	"ArnLike":                   {compare: globARN},
	"ArnNotLike":                {compare: globARN, not: true},
	"Bool":                      {compare: strings.EqualFold},
}

func (c condition) holds(r Request) bool {
	value, ok := r.contextValue(c.key)
	if c.operator.compare == nil { // Null
		return ok != strings.EqualFold(c.values[0], "true")
	}
	if !ok {
		return c.whenMissing
	}
	return slices.ContainsFunc(c.values, func(v string) bool { return c.operator.compare(v, value) }) != c.operator.not
}

// contextValue returns the value of a condition key, which is given in lower case.
func (r Request) contextValue(key string) (string, bool) {
	for name, value := range r.Context {
		if strings.ToLower(name) == key {
			return value, true
		}
	}
	value := ""
	switch key {
	case "aws:principalarn":
		value = r.Principal
	case "aws:principalaccount":
		value = r.Account
	case "aws:principalorgid":
		value = r.Organization
	}
	return value, value != ""
}

func parseConditions(value any) ([]condition, error) {
	block, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the Condition must be an object of operators")
	}
	var conditions []condition
	for _, name := range slices.Sorted(maps.Keys(block)) {
		members, ok := block[name].(map[string]any)
		if !ok || len(members) == 0 {
			return nil, fmt.Errorf("the Condition %s must be an object of condition keys", name)
		}
		for _, key := range slices.Sorted(maps.Keys(members)) {
			c, err := parseCondition(name, key, members[key])
			if err != nil {
				return nil, fmt.Errorf("the Condition %s %s %w", name, key, err)
			}
			conditions = append(conditions, c)
		}
	}
	return conditions, nil
}

func parseCondition(name, key string, value any) (condition, error) {
	values, err := parseStrings(value)
	if err != nil {
		return condition{}, err
	}
	c := condition{key: strings.ToLower(key), values: values}
	if name == "Null" {
		if v := strings.ToLower(values[0]); len(values) != 1 || v != "true" && v != "false" {
			return condition{}, errors.New("must be true or false")
		}
		return c, nil
	}
	// Every key has at most one value here, so for all of its values and for any of them differ only when it has none.
	base, all := strings.CutPrefix(name, "ForAllValues:")
	anyOf := false
	if !all {
		base, anyOf = strings.CutPrefix(name, "ForAnyValue:")
	}
	base, ifExists := strings.CutSuffix(base, "IfExists")
	c.operator = operators[base]
	if c.operator.compare == nil {
		return condition{}, errors.New("has an operator that is not known here")
	}
	c.whenMissing = ifExists || all || c.operator.not && !anyOf
	return c, nil
}
