package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityIsTested compares docs/security.md with testdata/security.txt: the beginning of each sentence and of each
// row of the table, in the order of the page, and below it the tests that hold it, or what it rests on instead: AWS,
// GitHub, the infrastructure, or the reader. A sentence that is new or changed needs a line there. The tests exist.
func TestSecurityIsTested(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/security.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	sentences := sentencesOf(page(t, "security.md"))
	for i, sentence := range sentences {
		if 2*i+1 >= len(lines) || !strings.HasPrefix(sentence, lines[2*i]) {
			t.Fatalf("testdata/security.txt does not say what tests this sentence: %s", sentence)
		}
		held := strings.TrimSpace(lines[2*i+1])
		for _, one := range regexp.MustCompile(`([a-z/-]+) (Test[A-Za-z]+)`).FindAllStringSubmatch(held, -1) {
			if !hasTest(t, one[1], one[2]) {
				t.Errorf("%s has no test %s, which is to hold: %s", one[1], one[2], sentence)
			}
		}
	}
	if len(lines) != 2*len(sentences) {
		t.Errorf("testdata/security.txt has %d lines for %d sentences", len(lines), len(sentences))
	}
}

// sentencesOf returns the sentences, list items and table rows of a page, without its headings.
func sentencesOf(text string) (all []string) {
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		block = strings.Trim(block, "\n")
		switch {
		case strings.HasPrefix(block, "#"):
			continue
		case strings.HasPrefix(block, "|"):
			for _, row := range strings.Split(block, "\n")[2:] {
				all = append(all, strings.Join(strings.Fields(row), " "))
			}
			continue
		}
		var items []string
		for line := range strings.SplitSeq(block, "\n") {
			if item, isItem := strings.CutPrefix(line, "- "); isItem || len(items) == 0 {
				items = append(items, item)
				continue
			}
			items[len(items)-1] += " " + line
		}
		for _, item := range items {
			item = strings.Join(strings.Fields(item), " ")
			for one := range strings.SplitSeq(strings.ReplaceAll(item, ". ", ".\n"), "\n") {
				all = append(all, one)
			}
		}
	}
	return all
}

// hasTest reports whether a directory of the project has a test with a name.
func hasTest(t *testing.T, directory, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", directory, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
