package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"deployer/internal/journal"
)

// cell is one field of a table.
type cell struct {
	text string
	color
}

// table is rows of cells under a heading. The last cell of a row does not widen
// its column, so a row with fewer cells may end in a long text.
type table struct {
	rows     [][]cell
	optional []string // columns that are left out where the table is too wide, the first one first
	free     bool     // the last column has free text, which is cut before the others
	whole    []string // columns that are not cut: one that is copied, or without whose end a row says nothing
	below    *below   // where the texts of the last column stand if that is too narrow; nil for beside the others
}

// head adds the heading.
func (t *table) head(names ...string) {
	row := make([]cell, len(names))
	for i, name := range names {
		row[i].text = name
	}
	t.rows = append(t.rows, row)
}

// add adds a row. An empty cell is shown as "-"; what a terminal could obey is escaped,
// because others wrote tags, reasons and actors.
func (t *table) add(cells ...cell) {
	for i := range cells {
		cells[i].text = printable(cells[i].text)
		if cells[i].text == "" {
			cells[i].text = "-"
		}
	}
	t.rows = append(t.rows, cells)
}

// draw returns the table as text. On a canvas with a width it leaves out optional columns,
// and then cuts long cells with an ellipsis, until it fits.
func (t *table) draw(c canvas) string {
	rows := t.rows
	for _, name := range t.optional {
		if c.columns == 0 || t.least(widths(rows, true)) <= c.columns {
			break
		}
		c.cuts.leave(name)
		rows = without(rows, slices.IndexFunc(rows[0], func(h cell) bool { return h.text == name }))
	}
	if t.below != nil && c.columns > 0 && spaceLeft(rows, c.columns) < t.below.least {
		return t.drawBelow(c, rows)
	}
	width := widths(rows, false)
	if c.columns > 0 {
		width = t.fit(widths(rows, true), rows, c.columns)
	}
	var all strings.Builder
	for _, row := range rows {
		var b strings.Builder
		used := 0
		for i, one := range row {
			last, space := i == len(row)-1, width[i]
			if last && c.columns > 0 {
				space = max(1, c.columns-used)
			}
			text := one.text
			if c.columns > 0 {
				text = ellipsis(text, space)
				c.cuts.cell(text != one.text)
			}
			b.WriteString(c.paint(text, one.color))
			if !last {
				fmt.Fprintf(&b, "%*s", width[i]-utf8.RuneCountInString(text)+2, "")
			}
			used += width[i] + 2
		}
		all.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
	return all.String()
}

// widths returns the widths of columns. The last cell of a row counts only in a table that
// has to fit, if the row is complete.
func widths(rows [][]cell, toFit bool) []int {
	all := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, one := range row {
			if i < len(row)-1 || toFit && len(row) == len(all) {
				all[i] = max(all[i], utf8.RuneCountInString(one.text))
			}
		}
	}
	return all
}

// enough is the width of free text for which no optional column is left out.
const enough = 40

// least returns how wide a table is whose free text is cut.
func (t *table) least(widths []int) int {
	last := len(widths) - 1
	if t.free {
		widths[last] = min(widths[last], enough)
	}
	return total(widths)
}

// total returns how wide a table is.
func total(widths []int) int {
	sum := 2 * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// Columns are not cut below these widths.
const (
	leastWidth = 6
	leastFree  = 16
)

// columnsOfTimes returns the columns in which a cell is a point in time: without its end it says nothing.
func columnsOfTimes(rows [][]cell) map[int]bool {
	times := map[int]bool{}
	for _, row := range rows {
		for i, one := range row {
			if _, err := time.Parse(time.RFC3339, one.text); err == nil {
				times[i] = true
			}
		}
	}
	return times
}

// fit narrows the widest columns until the table is as wide as columns.
func (t *table) fit(widths []int, rows [][]cell, columns int) []int {
	last := len(widths) - 1
	times := columnsOfTimes(rows)
	if t.free {
		over := max(0, total(widths)-columns)
		widths[last] = max(min(widths[last], leastFree), widths[last]-over)
	}
	for total(widths) > columns {
		i := -1
		for j, w := range widths {
			if !slices.Contains(t.whole, rows[0][j].text) && !times[j] && (i < 0 || w > widths[i]) {
				i = j
			}
		}
		if i < 0 || widths[i] <= leastWidth {
			break
		}
		widths[i]--
	}
	return widths
}

// without returns the rows without a column. A row with fewer cells keeps its last one.
func without(rows [][]cell, column int) [][]cell {
	all := slices.Clone(rows)
	for i, row := range all {
		if column >= 0 && (column < len(row)-1 || len(row) == len(rows[0])) {
			all[i] = slices.Delete(slices.Clone(row), column, column+1)
		}
	}
	return all
}

// ellipsis cuts a text to a number of characters.
func ellipsis(text string, space int) string {
	if utf8.RuneCountInString(text) <= space {
		return text
	}
	return string([]rune(text)[:max(0, space-1)]) + "…"
}

// actorOf returns who deployed a revision: the user or session name without
// AWS's prefix user/ or assumed-role/ROLE/.
func actorOf(r journal.Record) string {
	if r.Foreign {
		return "external"
	}
	actor := r.By()
	if strings.HasPrefix(actor, "user/") || strings.HasPrefix(actor, "assumed-role/") {
		return actor[strings.LastIndexByte(actor, '/')+1:]
	}
	return actor
}
