package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCheckFile(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	for _, test := range []struct {
		name, file, text string
		want             []string
	}{
		{"a comment", "a.go", "package a\n\n// f tells the caller.\nfunc f() {}\n", []string{"a.go:3: tells"}},
		{"a string", "a.go", "package a\n\nconst s = `one\nnobody came`\n", []string{"a.go:4: nobody"}},
		{"an identifier", "a.go", "package a\n\nvar tellTime, retell, mostTags, almost int\n", []string{"a.go:3: tell", "a.go:3: most"}},
		{"other words", "a.go", "package a\n\n// The history is replayed on a display, mushrooms aside.\n", nil},
		{"a long line", "a.go", "package a\n\n\t\t// " + long + " and fourteen\n", []string{"a.go:3: 124 columns, at most 120"}},
		{"a long address", "a.go", "package a\n\n// https://example.com/" + long + "\n", nil},
		{"a long raw string", "a.go", "package a\n\nconst s = `" + long + long + "\n`\n", nil},
		{"prose", "a.md", "The service goes back.\n", []string{"a.md:1: goes back"}},
		{"long prose", "a.md", "| " + long + long + " |\n" + long + " and twenty-one letters\n", []string{"a.md:2: 123 columns, at most 120"}},
		{"code in prose", "a.md", "Call `told()`, see [it](house.md).\n```\nnobody\n```\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range checkFile(test.file, test.text) {
				got = append(got, fmt.Sprint(f))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	if got, want := fmt.Sprint(parts("tellTheHTTPServer_now")), "[tell the httpserver now]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestExceptions checks that each exception has a word, files and a reason.
func TestExceptions(t *testing.T) {
	t.Parallel()
	for i, line := range strings.Split(strings.TrimSpace(exceptionsText), "\n") {
		if !strings.HasPrefix(line, "#") && len(strings.Split(line, "\t")) != 3 {
			t.Errorf("exceptions.txt:%d is not WORD, FILES, WHY: %q", i+1, line)
		}
	}
}
