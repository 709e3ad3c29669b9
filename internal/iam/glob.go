package iam

import "strings"

// A glob matches texts: * matches any characters, ? any one.
type glob struct {
	fixed string // before the first wildcard
	wild  string // from the first wildcard on
	end   string // after the last wildcard
}

func newGlob(pattern string) glob {
	i := strings.IndexAny(pattern, "*?")
	if i < 0 {
		return glob{fixed: pattern}
	}
	return glob{pattern[:i], pattern[i:], pattern[strings.LastIndexAny(pattern, "*?")+1:]}
}

// newGlobs returns the globs of a statement's list.
func newGlobs(list []string) []glob {
	globs := make([]glob, len(list))
	for i, text := range list {
		globs[i] = newGlob(text)
	}
	return globs
}

// match reports whether the glob matches all of s.
func (g glob) match(s string) bool {
	// A statement lists up to hundreds of ARNs. Most have no wildcard, or differ before or after the wildcards.
	if g.wild == "" {
		return s == g.fixed
	}
	s, ok := strings.CutPrefix(s, g.fixed)
	return ok && strings.HasSuffix(s, g.end) && matchWild(g.wild, s)
}

// matchWild reports whether a pattern matches all of s.
func matchWild(pattern, s string) bool {
	// back is where the match after the last * started; it is retried one byte later.
	star, back := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p, i = p+1, i+1
		case star >= 0:
			back++
			p, i = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// like reports whether a pattern matches all of s.
func like(pattern, s string) bool { return newGlob(pattern).match(s) }

// globARN reports whether an ARN matches a pattern, part by part.
func globARN(pattern, arn string) bool {
	want, got := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if !like(want[i], got[i]) {
			return false
		}
	}
	return true
}
