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

	// ecsEvent is what ECS itself writes about a service.
	ecsEvent = regexp.MustCompile(`  \(service \S+\) \(`)

	// part separates the parts of a message.
	part = regexp.MustCompile(`: | \(|\) |; `)
)

// repeats returns what a text for people says twice: a statement that is there twice, or a part
// of a message that begins with the part before it, such as "image not found: ImageNotFound".
// Two pairs of parentheses side by side are two thoughts in one sentence. It returns "" for a
// text without such faults, and for a JSON document.
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
		if strings.Contains(line, ") (") && !ecsEvent.MatchString(line) {
			return fmt.Sprintf("this has two pairs of parentheses side by side: %s", line)
		}
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
		"no image (revision 6 is one) (list them)\n": "this has two pairs of parentheses side by side: " +
			"no image (revision 6 is one) (list them)",
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
