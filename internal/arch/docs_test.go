package arch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentation compares the order of layers with the one in docs/architecture.md, and checks that the
// page describes every package.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	const file = "../../docs/architecture.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "<!-- The import order. ")
	if !found {
		t.Fatalf("%s does not state the import order", file)
	}
	var order []string
	for line := range strings.Lines(after) {
		if names, indented := strings.CutPrefix(line, "    "); indented {
			order = append(order, strings.FieldsFunc(names, func(r rune) bool {
				return r == ',' || r == ' ' || r == '\n'
			})...)
		} else if len(order) > 0 {
			break
		}
	}
	if diff := cmp.Diff(layers, order); diff != "" {
		t.Errorf("the import order of %s (-want +got):\n%s", file, diff)
	}
	for _, layer := range layers {
		if !strings.Contains(string(text), "\n| `internal/"+layer+"` | ") {
			t.Errorf("%s does not describe internal/%s", file, layer)
		}
	}
}

var (
	// a message, in italics
	quoted = regexp.MustCompile(`\*([^*\n]+(?:\n[^*\n]+)?)\*`)
	// a part that differs
	variable = regexp.MustCompile("(?:tag )?\"[^\"]*\"|: |…|`[^`]*`|[0-9]+|[A-Z_]{4,}|linux/\\w+")
	joined   = regexp.MustCompile("[\"`] ?\\+\n\\s*[\"`]") // between the parts of a long string
)

// notOurs are quotes in docs/how-to/troubleshooting.md that are not messages of the deployer.
var notOurs = []string{
	"CannotPullContainerError … 403", "keep last 10 images, any tag", "execution role", "exec format error",
	"Too many concurrent attempts to create a new revision",
}

// TestMessages checks that the messages that docs/how-to/troubleshooting.md explains are messages of the product: their
// constant parts have to be in its source.
func TestMessages(t *testing.T) {
	t.Parallel()
	const file = "../../docs/how-to/troubleshooting.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.ToLower(joined.ReplaceAllString(source.String(), ""))
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(page), "")
	checked := 0
	for _, quote := range quoted.FindAllStringSubmatch(prose, -1) {
		message := strings.ReplaceAll(quote[1], "\n", " ")
		if slices.Contains(notOurs, message) {
			continue
		}
		for _, part := range variable.Split(message, -1) {
			part = strings.Trim(strings.ToLower(part), " .,:;()")
			if len(part) < 5 {
				continue
			}
			if checked++; !strings.Contains(all, part) {
				t.Errorf("%s explains %q, but no message of the product has %q", file, message, part)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d parts of messages were found in %s", checked, file)
	}
}
