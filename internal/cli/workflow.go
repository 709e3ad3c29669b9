package cli

import (
	"cmp"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// inJob makes a command write for the log of a job of GitHub Actions, if it runs in one: the runner obeys commands that
// it finds in the log. Texts of others, such as the lines of a container, are no commands then; only annotations are.
func (a *app) inJob() {
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		a.commands, a.err = a.err, &commandless{Writer: a.err}
	}
}

// commandless writes text in which GitHub's runner finds no command. Commands are "::NAME::" at the beginning of a
// line, behind any space, and "##[NAME]" anywhere in it (actions/runner, src/Runner.Common/ActionCommand.cs).
type commandless struct {
	io.Writer
	hashes int  // that were written last
	inLine bool // the line has something besides space
	colon  bool // the line has a colon and nothing else
}

// Write writes p, with a backslash inside of what would be a command.
func (w *commandless) Write(p []byte) (int, error) {
	safe := make([]byte, 0, len(p))
	for rest := p; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == '[' && w.hashes >= 2 || r == ':' && w.colon {
			safe = append(safe, '\\')
		}
		safe = append(safe, rest[:size]...)
		rest = rest[size:]
		w.colon = r == ':' && !w.inLine
		w.inLine = r != '\n' && r != '\r' && (w.inLine || !unicode.IsSpace(r))
		if w.hashes++; r != '#' {
			w.hashes = 0
		}
	}
	if _, err := w.Writer.Write(safe); err != nil {
		return 0, err
	}
	return len(p), nil
}

// reportUnstarted writes the report of a command that ended before it had one: its command line or its environment
// file is wrong. A dry run has no report.
func (a *app) reportUnstarted(cmd *cobra.Command, err error) {
	value := func(name string) string {
		if flag := cmd.Flags().Lookup(name); flag != nil {
			return flag.Value.String()
		}
		return ""
	}
	files := reportFlags{value("summary"), value("outputs")}
	if err == nil || a.reports || files == (reportFlags{}) || value("dry-run") == "true" {
		return
	}
	d := deployed{Service: "?", Environment: a.environmentName(cmd), Status: notDone, Why: "see the log of this step"}
	if cmd.Name() == "send" {
		d.Status = notSent
	}
	operands := cmd.Flags().Args()
	if i := slices.Index(a.args, "--"); len(operands) == 0 && i >= 0 { // a flag before it was wrong
		operands = a.args[i+1:]
	}
	if len(operands) > 0 {
		d.Service = strings.Join(strings.Split(operands[0], ","), ", ")
	}
	if len(operands) > 1 {
		d.Tag = operands[1]
	}
	if !errors.Is(err, errNotDone) {
		d.Why, d.Fix = partsOf(err)
	}
	r := report{reportFlags: files, all: []deployed{d}}
	if failed := r.write(a.commands); failed != nil && failed.Error() != err.Error() {
		a.note("%v", failed)
	}
}

// environmentName returns the name of the environment that a command line names, as far as it can be known.
func (a *app) environmentName(cmd *cobra.Command) string {
	if file, err := cmd.Flags().GetString("file"); err == nil && file != "" {
		if name := nameOf(file); name != "?" {
			return name
		}
		return file
	}
	names, _ := cmd.Flags().GetStringArray("env")
	return cmp.Or(strings.Join(names, ", "), "?")
}
