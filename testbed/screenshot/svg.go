package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The measures of the picture, in pixels.
const (
	charWidth  = 7.8
	lineHeight = 19.0
	fontSize   = 13.0
	margin     = 20.0
	titleBar   = 34.0
)

// styles are the classes of the escape sequences that the command line uses.
var styles = map[string]string{"1": "b", "31": "r", "32": "g", "33": "y"}

// sequence is an escape sequence for a color or another style.
var sequence = regexp.MustCompile("\x1b\\[([0-9]*)m")

// svg draws a terminal with the text. Each run of one style is placed and stretched to its columns, so that the columns
// are straight whatever monospaced font the viewer has.
func svg(screen string) string {
	lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
	columns := 0
	var text strings.Builder
	for i, line := range lines {
		columns = max(columns, utf8.RuneCountInString(sequence.ReplaceAllString(line, "")))
		text.WriteString(row(line, titleBar+margin+lineHeight*(float64(i)+0.5)))
	}
	width, height := float64(columns)*charWidth+2*margin, titleBar+2*margin+lineHeight*float64(len(lines))
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]g" height="%[2]g" viewBox="0 0 %[1]g %[2]g" role="img">
<title>What deployer status and deployer history print on a terminal</title>
<style>
text { font: %[3]gpx ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d4d9e0; white-space: pre }
.b { fill: #ffffff; font-weight: bold } .r { fill: #ff7b72 } .g { fill: #7ee787 } .y { fill: #f2cc60 }
</style>
<rect width="%[1]g" height="%[2]g" rx="10" fill="#161b22"/>
<circle cx="22" cy="20" r="6" fill="#ff5f57"/><circle cx="42" cy="20" r="6" fill="#febc2e"/><circle cx="62" cy="20" r="6" fill="#28c840"/>
%[4]s</svg>
`, width, height, fontSize, text.String())
}

// row draws one line, whose text may have escape sequences.
func row(line string, y float64) string {
	var b strings.Builder
	column, class := 0, ""
	run := func(text string) {
		// Blanks are not drawn: some viewers collapse them.
		for _, word := range words.FindAllStringIndex(text, -1) {
			part := text[word[0]:word[1]]
			length := utf8.RuneCountInString(part)
			x := margin + charWidth*float64(column+utf8.RuneCountInString(text[:word[0]]))
			fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\"%s>%s</text>\n",
				x, y, charWidth*float64(length), class, escape.Replace(part))
		}
		column += utf8.RuneCountInString(text)
	}
	at := 0
	for _, found := range sequence.FindAllStringSubmatchIndex(line, -1) {
		run(line[at:found[0]])
		class = ""
		if style := styles[line[found[2]:found[3]]]; style != "" {
			class = fmt.Sprintf(" class=%q", style)
		}
		at = found[1]
	}
	run(line[at:])
	return b.String()
}

// words are the parts of a line between two or more blanks.
var words = regexp.MustCompile(`\S+( \S+)*`)

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
