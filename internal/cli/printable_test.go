package cli

import (
	"strings"
	"testing"
	"unicode"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "",
		"git-abc123f":                 "git-abc123f",
		"Zoë, 東京 ✓":                   "Zoë, 東京 ✓",
		"\x1b[2J\x1b]0;title\x07":     `\x1b[2J\x1b]0;title\a`,
		"\u009b31m":                   `\u009b31m`, // the control sequence introducer as one character
		"two\nlines\r\t":              `two\nlines\r\t`,
		"\u202egnp.exe":               `\u202egnp.exe`,
		"a\u200bb\u2066c\ufeff\u00a0": `a\u200bb\u2066c\ufeff\u00a0`,
		"#[a] ##[error]b ###[c]":      `#[a] ##\[error]b ###\[c]`, // commands of GitHub's runner
		"\x00\x7f":                    `\x00\x7f`,
		"\xff":                        "\uFFFD",
		"\U000e0041":                  `\U000e0041`, // a tag character, which no one sees
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := printableAtMost("\x1b\x1bab", 3); got != `\x1b\x1ba…` {
		t.Error(got)
	}
}

// FuzzPrintable checks that a terminal obeys nothing of the result.
func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[2J\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		if got := printable(s); strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q: %q", s, got)
		}
	})
}
