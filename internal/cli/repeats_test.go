package cli

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	// statement is a line that says something by itself: a message, or a finding of the doctor.
	statement = regexp.MustCompile(`^(deployer: |problem  |warning  |unknown  )`)

	// part separates the parts of a message.
	part = regexp.MustCompile(`: | \(|\) |; `)
)

// repeats returns what a text for people says twice: a statement that is there twice, or a part
// of a message that begins with the part before it, such as "image not found: ImageNotFound".
// It returns "" for a text that repeats nothing, and for a JSON document.
func repeats(text string) string {
	if json.Valid([]byte(text)) {
		return ""
	}
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if seen[line] && statement.MatchString(line) {
			return fmt.Sprintf("this is there twice: %s", line)
		}
		seen[line] = true
		before := ""
		for _, one := range part.Split(line, -1) {
			bare := bareLetters(one)
			if len(before) > 5 && strings.HasPrefix(bare, before) {
				return fmt.Sprintf("%q repeats what is before it: %s", one, line)
			}
			before = bare
		}
	}
	return ""
}

// bareLetters returns a text's letters and digits, in lower case.
func bareLetters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// TestRepeats checks what the output of every script is checked with.
func TestRepeats(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"looking for tag: image not found\nhint: push it\nok\nok\n": "",
		"looking: image not found: ImageNotFound: no\n": `"ImageNotFound" repeats what is before it: ` +
			`looking: image not found: ImageNotFound: no`,
		"unknown  backend: not read\n\nunknown  backend: not read\n": "this is there twice: unknown  backend: not read",
		"{\"unknown\": 1,\n\"b\": {\"unknown\": 1}}\n":               "",
	} {
		if got := repeats(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
