package iam

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzLike compares the matching of patterns with that of regular expressions.
func FuzzLike(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""}, {"", "a"}, {"a", "a"}, {"a", "b"}, {"a", "ab"}, {"*", ""}, {"*", "a:b/c"}, {"?", ""}, {"?", "a"},
		{"?", "ab"}, {"a*", "a"}, {"*a", "ba"}, {"*a", "ab"}, {"a*a", "a"}, {"a*a", "aa"}, {"a?b*c", "axbc"},
		{"a?b*c", "abc"}, {"a*b*c", "abbxc"}, {"a*bc", "abcbc"}, {"a**", "a"}, {"*ab?", "abab"}, {"*ab?", "ababc"},
		{"arn:aws:ecs:*:111111111111:service/c/*_dev", "arn:aws:ecs:us-east-1:111111111111:service/c/web_dev"},
		{"arn:aws:ecs:*:111111111111:service/c/*_dev", "arn:aws:ecs:us-east-1:111111111111:service/c/web_prod"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if strings.ContainsFunc(pattern+s, func(r rune) bool { return r >= 0x80 }) {
			return // ? matches a byte
		}
		form := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`(?s)^` + form + `$`).MatchString(s)
		if got := like(pattern, s); got != want {
			t.Errorf("%q matches %q: %t, want %t", pattern, s, got, want)
		}
	})
}
