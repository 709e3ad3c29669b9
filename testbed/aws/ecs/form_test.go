package ecs_test

import (
	"regexp"
	"strings"
	"testing"

	"deployer/testbed/aws/ecs"
)

// TestForms compares the checks of names and tags with the regular expressions of the ECS API reference.
func TestForms(t *testing.T) {
	t.Parallel()
	long := func(text string, n int) string { return strings.Repeat(text, n) }
	texts := []string{
		"", "a", "web_api-2", "a b", "a\u00a0b", "a\nb", "a\tb", "é", "日本", "٣", "½", "_.:/=+-@", "a*", "a#", "a,b",
		"e\u0301", "🚀", "\xff", "a\xffb", "\ufffd", "\u2028", "a\n", long("x", 127), long("x", 128), long("x", 129),
		long("é", 128), long("é", 129), long("x", 255), long("x", 256), long("x", 257), long("日", 256), long("日", 257),
	}
	for _, form := range []struct {
		name, want string
		is         func(string) bool
	}{
		{"tag key", `^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$`, ecs.IsTagKey},
		{"tag value", `^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$`, ecs.IsTagValue},
		{"name", `^[A-Za-z0-9_-]{1,255}$`, ecs.IsName},
	} {
		want := regexp.MustCompile(form.want)
		for _, text := range texts {
			if got := form.is(text); got != want.MatchString(text) {
				t.Errorf("%s %q: %v", form.name, text, got)
			}
		}
	}
}
