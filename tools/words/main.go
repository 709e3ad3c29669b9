// Command words checks the language of the project: words that a reader from outside would not understand at first
// reading, and lines of more than 120 columns. It prints FILE:LINE: WORD for each, and exits 1 if there are any.
//
//	go -C tools run ./words -root ..                     all files
//	go -C tools run ./words -root .. internal/event docs some of them
//
// Banned words are in banned.go. Exceptions, such as words that AWS uses, are in exceptions.txt.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	root := flag.String("root", ".", "the project's `directory`")
	flag.Parse()
	found, err := checkProject(*root, flag.Args())
	if err != nil {
		fmt.Fprintf(os.Stderr, "words: error: %v\n", err)
		os.Exit(1)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "words: %d findings; tools/words/exceptions.txt lists exceptions\n", len(found))
		os.Exit(1)
	}
}

// finding is a place to change.
type finding struct {
	file string
	line int
	what string // the banned word, or what else is wrong
}

func (f finding) String() string { return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.what) }

// checkProject checks the Go and Markdown files under root that Git tracks, or would track: those in some directories,
// or all.
func checkProject(root string, directories []string) ([]finding, error) {
	list := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.go", "*.md")
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the project's files: %w", err)
	}
	var all []finding
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if !within(name, directories) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if os.IsNotExist(err) { // deleted, and not yet committed
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, checkFile(name, string(text))...)
	}
	return all, nil
}

// within reports whether a file is in one of the directories, or there are none.
func within(name string, directories []string) bool {
	return len(directories) == 0 || slices.ContainsFunc(directories, func(dir string) bool {
		return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
	})
}

// checkFile checks one file. Its name is relative to the project's root, with slashes.
func checkFile(name, text string) []finding {
	var found []finding
	if strings.HasPrefix(name, "tools/words/") { // the list itself, and its tests
		return nil
	}
	if strings.HasSuffix(name, ".go") {
		found = checkGo(name, text)
	} else {
		found = checkMarkdown(name, text)
	}
	var rest []finding
	for _, f := range found {
		if !excepted(name, f.what) {
			rest = append(rest, f)
		}
	}
	return rest
}
