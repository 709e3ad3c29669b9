package pattern

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// A matcher is one element of a leaf's array.
type matcher interface {
	// match compares one scalar of the event: a string, a json.Number, a bool or nil.
	match(value any) bool
}

// literal matches a string, true, false or null.
type literal struct{ want any }

func (l literal) match(value any) bool { return value == l.want }

// number matches a JSON number that is written the same or has the same value. The user guide says that 300 and 300.0
// differ; event-ruler compares both ways and is followed here.
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

// maxNumber is the largest magnitude that event-ruler compares by value.
const maxNumber = 5e9

// scaled returns the number as event-ruler compares it: rounded to six decimals. Numbers beyond maxNumber are not ok.
func scaled(n json.Number) (value float64, ok bool) {
	v, err := n.Float64()
	if err != nil || math.Abs(v) > maxNumber {
		return 0, false
	}
	return math.Round(v*1e6) / 1e6, true
}

// prefix matches strings that begin with it.
type prefix string

func (p prefix) match(value any) bool {
	s, ok := value.(string)
	return ok && strings.HasPrefix(s, string(p))
}

// existence is {"exists": true} or {"exists": false}.
type existence bool

const (
	present existence = true
	absent  existence = false
)

// match is called only with values that exist.
func (e existence) match(any) bool { return e == present }

func parseMatcher(value any) (matcher, error) {
	switch value := value.(type) {
	case nil, bool, string:
		return literal{value}, nil
	case json.Number:
		return number{value}, nil
	case map[string]any:
		if len(value) != 1 {
			return nil, fmt.Errorf("a matcher must have exactly one key, not %d", len(value))
		}
		for name, operand := range value {
			return parseOperator(name, operand)
		}
	}
	return nil, fmt.Errorf("a value must be a string, number, true, false, null or matcher, not %s", describe(value))
}

func parseOperator(name string, operand any) (matcher, error) {
	switch name {
	case "prefix":
		want, ok := operand.(string)
		if !ok {
			return nil, fmt.Errorf("prefix must be a string, not %s", describe(operand))
		}
		return prefix(want), nil
	case "exists":
		wanted, ok := operand.(bool)
		if !ok {
			return nil, fmt.Errorf("exists must be true or false, not %s", describe(operand))
		}
		return existence(wanted), nil
	default:
		return nil, fmt.Errorf("unknown matcher %q", name)
	}
}
