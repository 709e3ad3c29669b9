package iam

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
	key      string // in lower case: keys are not case-sensitive
	values   []string
	// all means that every value in the request must match, not one of them.
	all bool
	// forAll means that the operator has the prefix ForAllValues.
	forAll bool
	// whenMissing is the result if the request does not have the key.
	whenMissing bool
}

// operator compares a value of the request with one of the policy.
type operator struct {
	compare func(policy, request string) bool
	// not negates: no value of the policy may match.
	not bool
}

func equal(policy, request string) bool { return policy == request }

// operators are the supported condition operators. In IAM, ArnEquals is ArnLike.
var operators = map[string]operator{
	"StringEquals":              {compare: equal},
	"StringNotEquals":           {compare: equal, not: true},
	"StringEqualsIgnoreCase":    {compare: strings.EqualFold},
	"StringNotEqualsIgnoreCase": {compare: strings.EqualFold, not: true},
	"StringLike":                {compare: like},
	"StringNotLike":             {compare: like, not: true},
	"ArnEquals":                 {compare: globARN},
	"ArnNotEquals":              {compare: globARN, not: true},
	"ArnLike":                   {compare: globARN},
	"ArnNotLike":                {compare: globARN, not: true},
	"Bool":                      {compare: strings.EqualFold},
}

// callerKeys are the condition keys that say who calls, and from where ("AWS global condition context keys" in the IAM
// user guide). All others are about the resource or the request, such as aws:ResourceOrgID, or a caller can choose
// their values.
var callerKeys = []string{"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
	"aws:principalservicename", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip", "aws:sourceorgid",
	"aws:sourceorgpaths", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "aws:username", "aws:vpcsourceip"}

// aboutCaller reports whether the condition is about who calls, or from where.
func (c condition) aboutCaller() bool { return slices.Contains(callerKeys, c.key) }

func (c condition) holds(r Request) bool {
	values := r.contextValues(c.key)
	if (c.operator.compare == nil || c.forAll) && isNull(values) {
		values = nil
	}
	if c.operator.compare == nil { // Null
		return (len(values) > 0) != strings.EqualFold(c.values[0], "true")
	}
	if len(values) == 0 {
		return c.whenMissing
	}
	matches := func(value string) bool {
		return slices.ContainsFunc(c.values,
			func(v string) bool { return c.operator.compare(v, value) }) != c.operator.not
	}
	if c.all {
		return !slices.ContainsFunc(values, func(value string) bool { return !matches(value) })
	}
	return slices.ContainsFunc(values, matches)
}

// isNull reports whether a key of the request is missing or has empty values only,
// which are one to Null and ForAllValues ("Set operators for multivalued context
// keys" in the IAM user guide: Null keeps missing keys and keys with empty values
// from evaluating to true).
func isNull(values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return v != "" })
}

// contextValues returns the values of a condition key, which is given in lower case.
func (r Request) contextValues(key string) []string {
	for name, value := range r.Context {
		if strings.ToLower(name) == key {
			return []string{value}
		}
	}
	value := ""
	switch key {
	case "aws:tagkeys":
		return r.TagKeys
	case "aws:principalarn":
		value = r.Principal
	case "aws:principalaccount":
		value = r.Account
	case "aws:principalorgid":
		value = r.Organization
	}
	if value == "" {
		return nil
	}
	return []string{value}
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
	base, all := strings.CutPrefix(name, "ForAllValues:")
	anyOf := false
	if !all {
		base, anyOf = strings.CutPrefix(name, "ForAnyValue:")
	}
	base, ifExists := strings.CutSuffix(base, "IfExists")
	c.operator = operators[base]
	if c.operator.compare == nil {
		return condition{}, errors.New("has an operator that is not supported")
	}
	// Without a set operator, a negated operator must hold for every value.
	c.forAll = all
	c.all = all || c.operator.not && !anyOf
	c.whenMissing = ifExists || c.all
	return c, nil
}
