package pattern

import (
	"fmt"
	"strings"
)

// parseWildcard reads a pattern in which * stands for any characters, \* for an asterisk and \\ for a backslash.
func parseWildcard(pattern string) (matcher, error) {
	var parts []string
	var part strings.Builder
	star := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '*' && star:
			return nil, fmt.Errorf("wildcard %q has two * in a row", pattern)
		case c == '*':
			parts = append(parts, part.String())
			part.Reset()
		case c == '\\':
			i++
			if i == len(pattern) || pattern[i] != '*' && pattern[i] != '\\' {
				return nil, fmt.Errorf(`wildcard %q has a \ before something other than * or \`, pattern)
			}
			part.WriteByte(pattern[i])
		default:
			part.WriteByte(c)
		}
		star = c == '*'
	}
	parts = append(parts, part.String())
	return text(func(s string) bool { return matchParts(parts, s) }), nil
}

// matchParts reports whether s is the parts in their order with anything between them.
func matchParts(parts []string, s string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		// The leftmost place leaves the most for the parts after it.
		if _, s, ok = strings.Cut(s, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
