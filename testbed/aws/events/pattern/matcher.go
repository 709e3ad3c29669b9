package pattern

import (
	"encoding/json"
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

// text matches strings for which the function returns true.
type text func(string) bool

func (t text) match(value any) bool {
	s, ok := value.(string)
	return ok && t(s)
}

// butNot matches every value that none of the matchers does. A field that is missing has no value.
type butNot []matcher

func (b butNot) match(value any) bool {
	for _, m := range b {
		if m.match(value) {
			return false
		}
	}
	return true
}

// wildcard matches the whole string: "*" is any characters, and a backslash before "*" or "\\" makes it literal.
func wildcard(pattern, s string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := range len(s) + 1 {
				if wildcard(pattern[1:], s[i:]) {
					return true
				}
			}
			return false
		case '\\':
			pattern = pattern[1:]
		}
		if s == "" || s[0] != pattern[0] {
			return false
		}
		pattern, s = pattern[1:], s[1:]
	}
	return s == ""
}
