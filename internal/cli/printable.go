package cli

import (
	"strconv"
	"strings"
	"unicode"
)

// printable returns a text that others wrote as a terminal can show it safely: on one
// line, with every character escaped that a terminal may obey, that cannot be seen, or
// that changes the direction of writing, so that it looks like another text. GitHub's runner
// obeys ##[NAME] in the log of a job: see [commandless].
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return strings.ReplaceAll(b.String(), "##[", `##\[`)
}

// printableAtMost is [printable], cut to a number of characters.
func printableAtMost(s string, maxCharacters int) string {
	if all := []rune(s); len(all) > maxCharacters {
		s = string(all[:maxCharacters]) + "…"
	}
	return printable(s)
}

// clause returns a text without the period at its end: more of a sentence follows.
func clause(s string) string { return strings.TrimSuffix(s, ".") }
