package main

import (
	"fmt"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of a Go line.
const (
	maxColumns = 120
	tabWidth   = 4
)

// checkGo checks a Go file's comments, strings and identifiers, and the length of its lines.
func checkGo(name, text string) []finding {
	var found []finding
	add := func(line int, what string) { found = append(found, finding{name, line, what}) }
	files := token.NewFileSet()
	file := files.AddFile(name, -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), nil, scanner.ScanComments)
	raw := map[int]bool{} // lines that are inside a string or comment of several lines
	for {
		pos, kind, literal := s.Scan()
		if kind == token.EOF {
			break
		}
		line := file.Line(pos)
		switch kind {
		case token.STRING:
			for i := range strings.Count(literal, "\n") {
				raw[line+i+1], raw[line] = true, true
			}
			fallthrough
		case token.COMMENT:
			for i, part := range strings.Split(literal, "\n") {
				for _, word := range banned.FindAllString(part, -1) {
					add(line+i, strings.ToLower(word))
				}
			}
		case token.IDENT:
			for _, part := range parts(literal) {
				if bannedInNames[part] {
					add(line, part)
				}
			}
			if strings.HasPrefix(literal, "most") && len(literal) > 4 && unicode.IsUpper(rune(literal[4])) {
				add(line, "most")
			}
		}
	}
	for i, line := range strings.Split(text, "\n") {
		if n := columns(line); n > maxColumns && !raw[i+1] && !unbreakable(line) {
			add(i+1, fmt.Sprintf("%d columns, at most %d", n, maxColumns))
		}
	}
	return found
}

// parts returns the parts of an identifier in lower case: "tell" and "time" of tellTime.
func parts(identifier string) []string {
	var all []string
	begin := 0
	runes := []rune(identifier)
	for i := 1; i <= len(runes); i++ {
		if i == len(runes) || runes[i] == '_' || unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1]) {
			all = append(all, strings.ToLower(strings.Trim(string(runes[begin:i]), "_")))
			begin = i
		}
	}
	return all
}

func columns(line string) int {
	return utf8.RuneCountInString(line) + (tabWidth-1)*strings.Count(line, "\t")
}

// unbreakable reports whether a long line is a directive, or a comment that is one long address.
func unbreakable(line string) bool {
	text, comment := strings.CutPrefix(strings.TrimSpace(line), "//")
	return comment && (strings.HasPrefix(text, "go:") || !strings.Contains(strings.TrimSpace(text), " "))
}

var (
	code = regexp.MustCompile("`[^`]*`")
	link = regexp.MustCompile(`\]\([^)]*\)`)
)

// checkMarkdown checks the prose of a Markdown file, and how long its lines are: neither blocks of code, nor code within a
// line, nor addresses. Tables may be wider.
func checkMarkdown(name, text string) []finding {
	var found []finding
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if fenced {
			continue
		}
		prose := link.ReplaceAllString(code.ReplaceAllString(line, "`"), "]")
		for _, word := range banned.FindAllString(prose, -1) {
			found = append(found, finding{name, i + 1, strings.ToLower(word)})
		}
		if n := utf8.RuneCountInString(prose); n > maxColumns && !strings.HasPrefix(prose, "|") {
			found = append(found, finding{name, i + 1, fmt.Sprintf("%d columns, at most %d", n, maxColumns)})
		}
	}
	return found
}
