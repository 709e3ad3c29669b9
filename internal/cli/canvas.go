package cli

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
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
	columns          int       // the width that tables have to fit in; 0 for any
	utc              bool      // times are stamps, not relative
	now              time.Time // that times are relative to
	cuts             *cuts     // what its tables lack; nil if it does not matter
}

func newCanvas(w io.Writer) canvas {
	terminal := isTerminal(w)
	return canvas{Writer: w, terminal: terminal, colors: terminal && os.Getenv("NO_COLOR") == "",
		columns: columnsOf(w, terminal), now: time.Now()}
}

// columnsOf returns the width of a writer: that of the terminal, or COLUMNS if it is set.
func columnsOf(w io.Writer, terminal bool) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := fileBelow(w); ok && terminal {
		return terminalWidth(f)
	}
	return 0
}

// look are the flags of commands that print tables.
type look struct{ wide, utc bool }

// lookFlags adds the flags of a command that prints tables.
func lookFlags(cmd *cobra.Command) *look {
	how := &look{}
	cmd.Flags().BoolVar(&how.wide, "wide", false, "do not cut tables to the width of the terminal")
	cmd.Flags().BoolVar(&how.utc, "utc", false, `print times in UTC, instead of "5 m ago"`)
	return how
}

// on returns the canvas of a writer with the look.
func (how *look) on(w io.Writer) canvas {
	c := newCanvas(w)
	c.utc, c.cuts = how.utc, &cuts{}
	if how.wide {
		c.columns = 0
	}
	return c
}

// wrap breaks lines that are longer than the canvas is wide, at spaces, and indents what
// follows.
func (c canvas) wrap(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(c.item("", strings.TrimSuffix(line, "\n"), 2))
	}
	return b.String()
}

// item returns a text behind a begin, which is not counted where it has colors: on a canvas
// with a width, the text is broken at spaces, and what follows is indented. A command at its
// end is on a line of its own, whole, because it is copied; so is each of several.
func (c canvas) item(begin, text string, indent int) string {
	used := utf8.RuneCountInString(escapes.ReplaceAllString(begin, ""))
	if c.columns == 0 || used+utf8.RuneCountInString(text) <= c.columns {
		return begin + text + "\n"
	}
	text, command := apart(text)
	more := ""
	if at := another.FindStringIndex(command); at != nil {
		command, more = command[:at[0]], c.item(strings.Repeat(" ", indent), command[at[0]+len("; "):], indent)
	}
	prose, used := c.fill(begin, used, text, indent)
	switch {
	case command == "":
		return prose + "\n"
	case text == "":
		return prose + command + "\n" + more
	case used+1+utf8.RuneCountInString(command) <= c.columns:
		return prose + " " + command + "\n" + more
	}
	return prose + "\n" + strings.Repeat(" ", indent) + command + "\n" + more
}

// another begins the next one of several commands, with what it is for.
var another = regexp.MustCompile(`; to [^;]*: deployer [a-z]`)

// fill returns a text behind a begin that uses some columns, broken at spaces, and how many
// columns its last line uses.
func (c canvas) fill(begin string, used int, text string, indent int) (filled string, last int) {
	var b strings.Builder
	b.WriteString(begin)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > c.columns:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			used = indent
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String(), used
}

// line prints a line of a result, which is broken where the terminal ends. What follows is
// indented by two more than its beginning.
func (a *app) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	bare := strings.TrimLeft(text, " ")
	begin := text[:len(text)-len(bare)]
	fmt.Fprint(a.out, newCanvas(a.out).item(begin, bare, len(begin)+2))
}

// escapes are the colors in a text.
var escapes = regexp.MustCompile(`\x1b\[[0-9]*m`)

// copied begins what is copied at the end of a text, or is all of it: a command, or JSON.
var copied = regexp.MustCompile(
	`(?:^|: | or )((?:deployer|aws|sam|gh|terraform|find|echo|printf) [a-z.'-]|make deploy |\{")`)

// apart returns a text without the command at its end, and the command. The parentheses
// around a hint with a command are left out.
func apart(text string) (prose, command string) {
	at := copied.FindStringSubmatchIndex(text)
	if at == nil {
		return text, ""
	}
	prose, command = strings.TrimRight(text[:at[2]], " "), text[at[2]:]
	open := strings.LastIndex(prose, " (")
	if open >= 0 && !strings.Contains(prose[open:], ")") && strings.HasSuffix(command, ")") {
		return prose[:open] + "; " + prose[open+2:], strings.TrimSuffix(command, ")")
	}
	return prose, command
}

// moment returns a time as tables show it, "" for none.
func (c canvas) moment(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case c.utc:
		return t.UTC().Format(time.RFC3339)
	case t.After(c.now.Add(time.Second)):
		return "in " + short(t.Sub(c.now))
	}
	return short(c.now.Sub(t)) + " ago"
}

// short returns a duration as people say it: in its largest unit.
func short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d m", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// fileBelow returns the file that a writer writes to, and whether it is one.
func fileBelow(w io.Writer) (*os.File, bool) {
	switch under := w.(type) {
	case *results:
		w = under.Writer
	case *lines:
		w = under.to
	}
	f, ok := w.(*os.File)
	return f, ok
}

// isTerminal reports whether w is a terminal that can be drawn on.
func isTerminal(w io.Writer) bool {
	f, ok := fileBelow(w)
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
