package environment

import (
	"strings"
	"testing"
)

func TestTagPattern(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern string
		exact   bool
		matches []string
		others  []string
	}{
		{"latest", true, []string{"latest"}, []string{"latest-1", "Latest", ""}},
		{"env-dev-*", false, []string{"env-dev-", "env-dev-20250122"}, []string{"env-prod-1", "xenv-dev-1"}},
		{"v[0-9]*", false, []string{"v1", "v1.2.3"}, []string{"version", "v"}},
		{"v?", false, []string{"v1"}, []string{"v", "v12"}},
		{"[^l]*", false, []string{"v1"}, []string{"latest"}},
		{"*" + strings.Repeat("[a-b]", 128) + "*", false, []string{strings.Repeat("a", 128)}, []string{"a"}},
		{`a\.b`, false, []string{"a.b"}, []string{"ab"}},
	} {
		p, err := ParseTagPattern(tt.pattern)
		if err != nil || p.IsExact() != tt.exact {
			t.Errorf("%q: exact %v, %v", tt.pattern, p.IsExact(), err)
		}
		for _, tag := range tt.matches {
			if !p.Match(tag) {
				t.Errorf("%q does not match %q", tt.pattern, tag)
			}
		}
		for _, tag := range tt.others {
			if p.Match(tag) {
				t.Errorf("%q matches %q", tt.pattern, tag)
			}
		}
	}
	for _, invalid := range []string{"", "a/b", "a:b", "a b", "[", `a\`, "[!l]*", "v[0-9][!a]",
		strings.Repeat("a", 129), "v*" + strings.Repeat("?", 128)} {
		if p, err := ParseTagPattern(invalid); err == nil {
			t.Errorf("%q is taken for the pattern %q", invalid, p)
		}
	}
}

func TestTagPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		policy TagPolicy
		empty  bool
		text   string
	}{
		{nil, true, ""},
		{DefaultTagPolicy("eu", true), true, ""},
		{DefaultTagPolicy("dev", true), true, ""},
		{DefaultTagPolicy("dev", false), false, "latest"},
		{DefaultTagPolicy("staging", false), false, "latest, env-staging-*"},
	} {
		if tt.policy.IsEmpty() != tt.empty || tt.policy.String() != tt.text || tt.policy.Match("latest") == tt.empty {
			t.Errorf("%q: empty %v, matches latest %v", tt.policy, tt.policy.IsEmpty(), tt.policy.Match("latest"))
		}
	}
}
