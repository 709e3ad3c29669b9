package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A page is a document that shows output of `make demo`.
type page struct {
	file                 string
	text                 string
	blockStart, blockEnd int // of the output in text
}

func readPage(t *testing.T, file, command string) page {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	opening := "```console\n$ " + command + "\n"
	before, rest, opened := strings.Cut(string(text), opening)
	output, _, closed := strings.Cut(rest, "```")
	if !opened || !closed {
		t.Fatalf("%s does not show %s", file, command)
	}
	start := len(before) + len(opening)
	return page{file, string(text), start, start + len(output)}
}

func (p page) block() string { return p.text[p.blockStart:p.blockEnd] }

// check compares the page's block with the wanted one. UPDATE_GOLDEN=1 rewrites the page.
func (p page) check(t *testing.T, want string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(p.file, []byte(p.text[:p.blockStart]+want+p.text[p.blockEnd:]), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, p.block()); diff != "" {
		t.Errorf("%s shows other output than the demo prints; run UPDATE_GOLDEN=1 go test ./testbed/demo (-want "+
			"+got):\n%s", p.file, diff)
	}
}

// TestOutputIsDocumented compares the demo's output with the tutorial, which shows all of it, and with the README,
// which shows parts of it between lines of "…". A part is found by its first line.
func TestOutputIsDocumented(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), "../..", &out); err != nil {
		t.Fatal(err)
	}
	// The pages show the same day always.
	due := regexp.MustCompile(`due at [0-9T:+-]+`)
	printed := due.ReplaceAllString(out.String(), "due at 2026-01-23T03:00:00+01:00")
	readPage(t, "../../docs/getting-started.md", "make demo").check(t, printed)

	readPage(t, "../../README.md", "make demo").checkParts(t, printed)
}

// checkParts compares the page's block, in which "…" stands for lines that are left out, with the whole output.
func (p page) checkParts(t *testing.T, output string) {
	t.Helper()
	var want strings.Builder
	rest := strings.SplitAfter(output, "\n")
	for i, part := range strings.Split(p.block(), "…\n") {
		if i > 0 {
			want.WriteString("…\n")
		}
		if part == "" {
			continue
		}
		shown := strings.SplitAfter(strings.TrimSuffix(part, "\n"), "\n")
		start := slices.IndexFunc(rest, func(line string) bool {
			return strings.TrimSuffix(line, "\n") == strings.TrimSuffix(shown[0], "\n")
		})
		if start < 0 || start+len(shown) > len(rest) {
			t.Fatalf("%s: this line is not printed, or before another that is shown:\n%s", p.file, shown[0])
		}
		for _, line := range rest[start : start+len(shown)] {
			want.WriteString(line)
		}
		rest = rest[start+len(shown):]
	}
	p.check(t, want.String())
}
