package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"deployer/internal/journal"
)

// color is a foreground color of terminals (SGR).
type color string

// The colors, by their meaning.
const (
	plain color = ""
	red   color = "31" // failed
	green color = "32" // as it should be
	amber color = "33" // look here
)

// canvas is a writer that people read: on a terminal with bars, and with colors
// unless NO_COLOR is set (https://no-color.org); elsewhere plain text.
type canvas struct {
	io.Writer
	terminal, colors bool
}

func newCanvas(w io.Writer) canvas {
	terminal := isTerminal(w)
	return canvas{w, terminal, terminal && os.Getenv("NO_COLOR") == ""}
}

// isTerminal reports whether w is a terminal that can be drawn on.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// paint returns the text in a color, if the canvas has colors.
func (c canvas) paint(text string, in color) string {
	if !c.colors || in == plain || text == "" {
		return text
	}
	return "\x1b[" + string(in) + "m" + text + "\x1b[0m"
}

// barWidth is the width of a bar in characters.
const barWidth = 20

// bar returns a bar of how much is done, with a space behind it; "" off a terminal.
func (c canvas) bar(done, whole int) string {
	if !c.terminal {
		return ""
	}
	full := 0
	if whole > 0 {
		full = min(barWidth, barWidth*done/whole)
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", barWidth-full) + "] "
}

// cell is one field of a table.
type cell struct {
	text string
	color
}

// table is rows of cells under a heading. The last cell of a row does not widen
// its column, so a row with fewer cells may end in a long text.
type table struct{ rows [][]cell }

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

// draw returns the table as text.
func (t *table) draw(c canvas) string {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, one := range row {
			if i < len(row)-1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(one.text))
			}
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		for i, one := range row {
			b.WriteString(c.paint(one.text, one.color))
			if i < len(row)-1 {
				fmt.Fprintf(&b, "%*s", widths[i]-utf8.RuneCountInString(one.text)+2, "")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// shortDigest returns the first 12 digits of a digest, without its algorithm.
func shortDigest(digest string) string {
	const digits = 12
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(len(hex), digits)]
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

// moment returns a time as tables show it, "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
