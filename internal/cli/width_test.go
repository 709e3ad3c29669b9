package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestWidth checks that what commands print fits a terminal of 80 and, in `make test-slow`, of 140 columns: their
// results, and what they say of each case. What is copied may be longer: commands, JSON,
// and a single word, such as an ARN, an image's reference or a URL.
func TestWidth(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it runs hundreds of commands")
	}
	url := caseCloud(t)
	widths := []int{80}
	if everyCase {
		widths = append(widths, 140)
	}
	documents := []string{"params", "policy", "completion", "send"} // print what other programs read
	for _, cmd := range (&app{}).root().Commands() {
		t.Run(cmd.Name(), func(t *testing.T) {
			t.Parallel()
			r := runner{url}
			for _, c := range exitCases() {
				args := c.args(cmd, usual[cmd.Name()])
				if args == nil {
					continue
				}
				dir := projectDirectory(t)
				for _, columns := range widths {
					stdout, stderr, exit := r.run(t, dir, c.account, args, fmt.Sprintf("COLUMNS=%d", columns))
					if exit == exitDone && slices.Contains(documents, cmd.Name()) {
						stdout = ""
					}
					for line := range strings.Lines(stdout + stderr) {
						if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > columns && !isCopied(line) {
							t.Errorf("%s: %v: %d columns, want at most %d: %s", c.name, args, n, columns, line)
						}
					}
				}
			}
		})
	}
}

// isCopied reports whether a line is copied as it is: it is a command, JSON, a part of a
// diff, or has one long word.
func isCopied(line string) bool {
	for _, begin := range []string{"deployer: hint: ", "deployer: error: ", "deployer: ", "→ "} {
		line = strings.TrimPrefix(strings.TrimSpace(line), begin)
	}
	command := regexp.MustCompile(`^(deployer|aws|make|gh|find|echo|printf) |^[{+-]|^"`)
	longest := slices.MaxFunc(strings.Fields(line), func(a, b string) int { return len(a) - len(b) })
	return command.MatchString(line) || len(longest) > 60
}
