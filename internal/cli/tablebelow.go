package cli

import "strings"

// below says how the texts of a table's last column are shown if that is too narrow to understand them: each below its
// row.
type below struct {
	least int      // the width that the column needs beside the others
	leave []string // columns that are left out if the others are too wide still, the first one first
	label string   // what a text begins with
	none  string   // a text that is not shown
}

// maxBelow is how many lines a text below its row has at most.
const maxBelow = 2

// spaceLeft returns how many columns are left for the last column of rows; more than it needs if that is there.
func spaceLeft(rows [][]cell, columns int) int {
	all := widths(rows, true)
	if total(all) <= columns {
		return columns
	}
	return columns - total(all) + all[len(all)-1]
}

// drawBelow returns rows without their last column, with the texts of that below.
func (t *table) drawBelow(c canvas, rows [][]cell) string {
	last := len(rows[0]) - 1
	others := &table{optional: t.below.leave, whole: t.whole, rows: without(rows, last)}
	var b strings.Builder
	i := 0
	for line := range strings.Lines(others.draw(c)) {
		b.WriteString(line)
		if row := rows[i]; i > 0 && len(row) > last && row[last].text != "-" && row[last].text != t.below.none {
			for _, one := range c.broken(t.below.label+row[last].text, max(1, c.columns-2), maxBelow) {
				b.WriteString("  " + c.paint(one, row[last].color) + "\n")
			}
		}
		i++
	}
	return b.String()
}

// broken returns a text in lines of at most width characters, broken at spaces, or in a word that is longer than a
// line. A text that has more than a number of lines is cut.
func (c canvas) broken(text string, width, maxLines int) (lines []string) {
	rest := []rune(text)
	for len(rest) > width {
		end := width
		for end > 0 && rest[end] != ' ' {
			end--
		}
		if len(lines)+1 == maxLines {
			c.cuts.cell(true)
			return append(lines, ellipsis(string(rest), width))
		}
		if end == 0 {
			end = width
		}
		lines = append(lines, string(rest[:end]))
		rest = []rune(strings.TrimLeft(string(rest[end:]), " "))
	}
	return append(lines, string(rest))
}
