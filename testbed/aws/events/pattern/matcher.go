package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// matcher is one element of a leaf's array.
type matcher interface {
	// match compares one scalar of the event: a string, a json.Number, a bool or nil.
	match(value any) bool
}

// literal matches a string, true, false or null.
type literal struct{ want any }

func (l literal) match(value any) bool { return value == l.want }

// number matches a JSON number that is written the same or has the same value. The user guide says that 300 and
// 300.0 differ; the service's engine compares both ways, and the engine decides.
type number struct{ want json.Number }

func (n number) match(value any) bool {
	got, ok := value.(json.Number)
	if !ok {
		return false
	}
	if got == n.want {
		return true
	}
	a, okA := scaled(got)
	b, okB := scaled(n.want)
	return okA && okB && a == b
}

// text matches strings by a condition on them.
type text func(value string) bool

func (t text) match(value any) bool {
	s, ok := value.(string)
	return ok && t(s)
}

// numeric matches numbers by their bounds.
type numeric struct {
	bottom, top         float64
	openBottom, openTop bool
}

func (n numeric) match(value any) bool {
	literal, ok := value.(json.Number)
	if !ok {
		return false
	}
	v, ok := scaled(literal)
	if !ok || v < n.bottom || v > n.top {
		return false
	}
	return !(n.openBottom && v == n.bottom) && !(n.openTop && v == n.top)
}

// not matches what none of its matchers match: any other value, of whatever type.
type not []matcher

func (n not) match(value any) bool {
	return !slices.ContainsFunc(n, func(m matcher) bool { return m.match(value) })
}

// existence is {"exists": true} or {"exists": false}.
type existence bool

const (
	present existence = true
	absent  existence = false
)

// match is asked only about values that exist.
func (e existence) match(any) bool { return e == present }

// limit is the largest number, either side of zero, that numeric matching handles.
const limit = 5e9

// scaled returns the number as numeric matching sees it: six digits after the point, within the limit.
func scaled(n json.Number) (float64, bool) {
	v, err := n.Float64()
	if err != nil || math.Abs(v) > limit {
		return 0, false
	}
	return math.Round(v*1e6) / 1e6, true
}

func parseMatcher(value any) (matcher, error) {
	switch value := value.(type) {
	case nil, bool, string:
		return literal{value}, nil
	case json.Number:
		return number{value}, nil
	case map[string]any:
		name, operand, err := only(value)
		if err != nil {
			return nil, err
		}
		return parseOperator(name, operand)
	default:
		return nil, fmt.Errorf("a value must be a string, number, true, false, null or matcher, not %s", describe(value))
	}
}

// only returns the single member of a matcher.
func only(object map[string]any) (name string, operand any, err error) {
	if len(object) != 1 {
		return "", nil, fmt.Errorf("a matcher must have exactly one key, not %d", len(object))
	}
	for name, operand = range object {
	}
	return name, operand, nil
}

func parseOperator(name string, operand any) (matcher, error) {
	switch name {
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
		return parseText(name, operand)
	case "anything-but":
		return parseAnythingBut(operand)
	case "numeric":
		return parseNumeric(operand)
	case "exists":
		wanted, ok := operand.(bool)
		if !ok {
			return nil, fmt.Errorf("exists must be true or false, not %s", describe(operand))
		}
		return existence(wanted), nil
	case "cidr":
		return parseCIDR(operand)
	default:
		return nil, fmt.Errorf("unknown matcher %q", name)
	}
}

func parseText(name string, operand any) (matcher, error) {
	ignoreCase := false
	if object, ok := operand.(map[string]any); ok && (name == "prefix" || name == "suffix") {
		inner, value, err := only(object)
		if err != nil {
			return nil, err
		}
		if inner != "equals-ignore-case" {
			return nil, fmt.Errorf("%s takes a string or equals-ignore-case, not %q", name, inner)
		}
		ignoreCase, operand = true, value
	}
	want, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("%s must be a string, not %s", name, describe(operand))
	}
	switch {
	case name == "wildcard":
		return parseWildcard(want)
	case name == "equals-ignore-case":
		return text(func(s string) bool { return strings.EqualFold(s, want) }), nil
	case name == "prefix" && ignoreCase:
		want = fold(want)
		return text(func(s string) bool { return strings.HasPrefix(fold(s), want) }), nil
	case name == "suffix" && ignoreCase:
		want = fold(want)
		return text(func(s string) bool { return strings.HasSuffix(fold(s), want) }), nil
	case name == "prefix":
		return text(func(s string) bool { return strings.HasPrefix(s, want) }), nil
	default:
		return text(func(s string) bool { return strings.HasSuffix(s, want) }), nil
	}
}

// fold maps all letters that differ in case only to the same one.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, s)
}

func parseAnythingBut(operand any) (matcher, error) {
	operator := ""
	if object, ok := operand.(map[string]any); ok {
		var err error
		if operator, operand, err = only(object); err != nil {
			return nil, err
		}
		if !slices.Contains([]string{"prefix", "suffix", "equals-ignore-case", "wildcard"}, operator) {
			return nil, fmt.Errorf("anything-but does not take %q", operator)
		}
	}
	values, ok := operand.([]any)
	if !ok {
		values = []any{operand}
	}
	if len(values) == 0 {
		return nil, errors.New("anything-but must have at least one value")
	}
	var none not
	var texts, numbers int
	for _, value := range values {
		var m matcher
		var err error
		switch value := value.(type) {
		case string:
			texts++
			m, err = exceptText(operator, value)
		case json.Number:
			numbers++
			m = number{value}
		default:
			err = fmt.Errorf("anything-but takes strings or numbers, not %s", describe(value))
		}
		if err != nil {
			return nil, err
		}
		none = append(none, m)
	}
	if numbers > 0 && (texts > 0 || operator != "") {
		return nil, errors.New("anything-but takes strings alone or numbers alone, and in a prefix, suffix, equals-ignore-case or wildcard strings alone")
	}
	return none, nil
}

func exceptText(operator, value string) (matcher, error) {
	switch {
	case operator == "":
		return literal{value}, nil
	case value == "" && (operator == "prefix" || operator == "suffix"):
		return nil, fmt.Errorf("anything-but %s must not be empty", operator)
	default:
		return parseText(operator, value)
	}
}

func parseNumeric(operand any) (matcher, error) {
	terms, ok := operand.([]any)
	if !ok || len(terms) != 2 && len(terms) != 4 {
		return nil, errors.New(`numeric must be an array of one or two operators, each followed by a number, like [">", 0, "<=", 5]`)
	}
	n := numeric{bottom: math.Inf(-1), top: math.Inf(1)}
	for i := 0; i < len(terms); i += 2 {
		operator, ok := terms[i].(string)
		if !ok {
			return nil, fmt.Errorf("numeric operator must be a string, not %s", describe(terms[i]))
		}
		literal, ok := terms[i+1].(json.Number)
		if !ok {
			return nil, fmt.Errorf("numeric %q must be followed by a number, not %s", operator, describe(terms[i+1]))
		}
		value, ok := scaled(literal)
		if !ok {
			return nil, fmt.Errorf("numeric value %s is not between -5e9 and 5e9", literal)
		}
		switch {
		case operator == "=" && len(terms) == 2:
			n.bottom, n.top = value, value
		case (operator == ">" || operator == ">=") && i == 0:
			n.bottom, n.openBottom = value, operator == ">"
		case (operator == "<" || operator == "<=") && i == len(terms)-2:
			n.top, n.openTop = value, operator == "<"
		default:
			return nil, fmt.Errorf("numeric operator %q is unknown or out of place: a range is > or >=, then < or <=", operator)
		}
	}
	if len(terms) == 4 && n.bottom >= n.top {
		return nil, fmt.Errorf("numeric range from %v to %v is empty", n.bottom, n.top)
	}
	return n, nil
}

func parseCIDR(operand any) (matcher, error) {
	s, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("cidr must be a string, not %s", describe(operand))
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, fmt.Errorf("cidr %q is not an address block like 10.0.0.0/24", s)
	}
	return text(func(s string) bool {
		address, err := netip.ParseAddr(s)
		return err == nil && prefix.Contains(address)
	}), nil
}
