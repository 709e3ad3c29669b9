package iam

import "strings"

// glob reports whether a pattern matches all of s: * matches any characters, ? any one.
func glob(pattern, s string) bool {
	// A statement lists up to hundreds of ARNs, most of which differ before their first wildcard.
	fixed := len(pattern)
	for _, wildcard := range []byte("*?") {
		if i := strings.IndexByte(pattern[:fixed], wildcard); i >= 0 {
			fixed = i
		}
	}
	if !strings.HasPrefix(s, pattern[:fixed]) {
		return false
	}
	pattern, s = pattern[fixed:], s[fixed:]
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

// globARN reports whether an ARN matches a pattern, part by part.
func globARN(pattern, arn string) bool {
	want, got := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if !glob(want[i], got[i]) {
			return false
		}
	}
	return true
}
