package environment

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// TagPattern is a pattern of image tags, such as "latest" or "env-dev-*", in the
// language of [path.Match].
type TagPattern string

// PatternError is why a text is not a pattern of tags.
type PatternError struct {
	What string // "v+", which can match no tag: …
	Fix  string // what to write instead; "" if that is any other pattern
}

func (e *PatternError) Error() string { return e.What }

// ParseTagPattern parses a pattern. It refuses one that can match no tag, as most
// regular expressions do. Its error is a [PatternError].
func ParseTagPattern(s string) (TagPattern, error) {
	const notRegexp = "write a glob, not a regular expression: [0-9] for a digit, * for any text"
	if _, err := path.Match(s, ""); err != nil || s == "" || strings.ContainsAny(s, "/: ") {
		return "", &PatternError{What: fmt.Sprintf("%q, which is not a pattern of tags", s)}
	}
	if part := shellClass(s); part != "" {
		return "", &PatternError{fmt.Sprintf("%q, whose %q matches \"!\" and what follows it", s, part),
			"write [^ for what it excludes"}
	}
	if shortest(s) > maxTag {
		return "", &PatternError{What: fmt.Sprintf("%q, which can match no tag: a tag has at most %d characters", s,
			maxTag)}
	}
	if part := impossible(s); part != "" {
		return "", &PatternError{fmt.Sprintf("%q, which can match no tag: none has %q in that place", s, part),
			notRegexp}
	}
	if part := escapedWord(s); part != "" {
		return "", &PatternError{fmt.Sprintf("%q, whose %q matches only the character %q", s, part, part[1:]),
			notRegexp}
	}
	return TagPattern(s), nil
}

// escapedWord returns the first backslash of a pattern before a letter or digit, which needs
// none: a regular expression is meant, such as \d.
func escapedWord(pattern string) string {
	for i := 0; i+1 < len(pattern); i++ {
		if pattern[i] != '\\' {
			continue
		}
		i++
		if c := pattern[i]; c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return pattern[i-1 : i+1]
		}
	}
	return ""
}

// maxTag is how many characters a tag may have ("Reference format" in the OCI distribution
// specification).
const maxTag = 128

// shellClass returns the first class of a valid pattern that begins with "[!": in a
// shell, it excludes what follows; in [path.Match], it does not. The range "[!-" is meant.
func shellClass(pattern string) string {
	for pattern != "" {
		one := element(pattern)
		if strings.HasPrefix(one, "[!") && !strings.HasPrefix(one, "[!-") {
			return one
		}
		pattern = pattern[len(one):]
	}
	return ""
}

// shortest returns the length of the shortest text that a valid pattern matches.
func shortest(pattern string) (n int) {
	for pattern != "" {
		one := element(pattern)
		pattern = pattern[len(one):]
		if one != "*" {
			n++
		}
	}
	return n
}

// impossible returns the first part of a valid pattern that no tag has in its place, or
// "". A tag consists of letters, digits, "_", "." and "-", and begins with neither "."
// nor "-".
func impossible(pattern string) string {
	alphabet := "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const later = ".-"
	for first := true; pattern != ""; first = false {
		one := element(pattern)
		pattern = pattern[len(one):]
		if one == "*" {
			continue
		}
		matches := func(r rune) bool {
			ok, err := path.Match(one, string(r))
			return ok && err == nil
		}
		if !strings.ContainsFunc(alphabet, matches) && (first || !strings.ContainsFunc(later, matches)) {
			return one
		}
	}
	return ""
}

// element returns the first element of a valid pattern: a wildcard, a class, or a
// character with the backslash before it.
func element(pattern string) string {
	switch pattern[0] {
	case '\\':
		_, size := utf8.DecodeRuneInString(pattern[1:])
		return pattern[:1+size]
	case '[':
		for i := 1; i < len(pattern); i++ {
			switch pattern[i] {
			case '\\':
				i++
			case ']':
				return pattern[:i+1]
			}
		}
	}
	_, size := utf8.DecodeRuneInString(pattern)
	return pattern[:size]
}

// Match reports whether the pattern matches a whole tag.
func (p TagPattern) Match(tag string) bool {
	ok, err := path.Match(string(p), tag)
	return ok && err == nil
}

// IsExact reports whether the pattern has no wildcard: it matches one tag, itself.
func (p TagPattern) IsExact() bool { return !strings.ContainsAny(string(p), `*?[\`) }

// TagPolicy is the patterns of the tags that deploy an environment when they are
// pushed. An empty policy matches no tag.
type TagPolicy []TagPattern

// DefaultTagPolicy returns the policy of an environment whose file has no
// `auto_deploy`: no push deploys production, latest deploys dev, latest and env-NAME-*
// deploy others.
func DefaultTagPolicy(env string, production bool) TagPolicy {
	switch {
	case production:
		return TagPolicy{}
	case env == "dev":
		return TagPolicy{"latest"}
	}
	return TagPolicy{"latest", TagPattern("env-" + env + "-*")}
}

// Match reports whether a push of tag deploys.
func (p TagPolicy) Match(tag string) bool {
	return slices.ContainsFunc(p, func(pattern TagPattern) bool { return pattern.Match(tag) })
}

// IsEmpty reports whether no push deploys.
func (p TagPolicy) IsEmpty() bool { return len(p) == 0 }

// String returns the patterns, separated by commas.
func (p TagPolicy) String() string {
	patterns := make([]string, len(p))
	for i, pattern := range p {
		patterns[i] = string(pattern)
	}
	return strings.Join(patterns, ", ")
}
