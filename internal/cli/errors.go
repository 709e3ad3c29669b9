package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"deployer/internal/environment"
	"deployer/internal/shell"
)

// hintedError is an error with the command that is the next step.
type hintedError struct {
	err  error
	hint string // can be pasted into a shell
}

func (e *hintedError) Error() string { return e.err.Error() + " (" + e.hint + ")" }
func (e *hintedError) Unwrap() error { return e.err }

// Parts returns what is wrong, and what to do.
func (e *hintedError) Parts() (what, hint string) { return e.err.Error(), e.hint }

// hinted returns an error with a hint.
func hinted(hint, format string, args ...any) error {
	return &hintedError{fmt.Errorf(format, args...), hint}
}

// parted is an error that is printed in two lines. Faults are, too.
type parted interface {
	Parts() (what, hint string)
}

// printError prints an error: a line for what is wrong, and one for what to do.
func printError(w io.Writer, err error) {
	c := newCanvas(w)
	var faults environment.Faults
	var parts parted
	var joined interface{ Unwrap() []error }
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			level := levelOf(f)
			f.Warning, f.Note = false, false // the line begins with it
			fmt.Fprint(w, c.item("deployer: "+level+": ", f.String(), 2))
		}
	case errors.As(err, &joined):
		printed := map[string]bool{} // of several services, the same thing may be wrong
		all := joined.Unwrap()
		for i, one := range all {
			if printed[one.Error()] {
				continue
			}
			printed[one.Error()] = true
			if i+1 < len(all) {
				one = withoutHint(one, all[i+1])
			}
			printError(w, one)
		}
	case errors.As(err, &parts):
		what, hint := parts.Parts()
		fmt.Fprint(w, c.item("deployer: error: ", what, 2))
		if hint != "" {
			fmt.Fprint(w, c.item("deployer: hint: ", hint, 2))
		}
	default:
		fmt.Fprint(w, c.item("deployer: error: ", err.Error(), 2))
	}
}

// withoutHint returns an error without its hint if the next error has the same.
func withoutHint(err, next error) error {
	var parts parted
	_, hint := partsOf(err)
	if _, same := partsOf(next); hint == "" || hint != same || next.Error() == err.Error() || !errors.As(err, &parts) {
		return err
	}
	what, _ := parts.Parts()
	return errors.New(what)
}

// hasHint reports whether an error, or one of those that it joins, has a hint.
func hasHint(err error) bool {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return slices.ContainsFunc(joined.Unwrap(), hasHint)
	}
	_, hint := partsOf(err)
	return hint != ""
}

// levelOf returns how severe a fault of a file is.
func levelOf(f environment.Fault) string {
	switch {
	case f.Warning:
		return "warning"
	case f.Note:
		return "note"
	}
	return "error"
}

// notWritten is the error for a file that could not be written. Its hint makes the directory if that is missing, and
// else shows the nearest one that exists. It has none if the file is itself a directory.
func notWritten(file string, err error) error {
	cause, path, link := err, (*fs.PathError)(nil), (*os.LinkError)(nil)
	switch {
	case errors.As(err, &path):
		cause = path.Err // without the name of a temporary file
	case errors.As(err, &link):
		cause = link.Err
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return fmt.Errorf("writing %s: it is a directory", file)
	}
	directory := filepath.Dir(file)
	if _, missing := os.Stat(directory); errors.Is(err, fs.ErrNotExist) && missing != nil {
		return hinted("mkdir -p "+shell.Quote(directory), "writing %s: %w", file, cause)
	}
	for directory != filepath.Dir(directory) {
		if _, err := os.Lstat(directory); err == nil {
			break
		}
		directory = filepath.Dir(directory)
	}
	return hinted("ls -ld "+shell.Quote(directory), "writing %s: %w", file, cause)
}
