package environment

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotEnvironment is wrapped by the error of [Load] and [Parse] when the file
// has no `env` key: it is another YAML file, such as dns.yaml.
var ErrNotEnvironment = errors.New("not an environment file")

// Fault is an error in an environment file, or a warning about it.
type Fault struct {
	File      string
	Line, Col int    // from 1; 0 if the fault has no position
	What      string // what is wrong, with the value
	Fix       string // what to write instead
	Err       error  // a sentinel such as [ErrNotEnvironment], or nil
	Warning   bool   // the file is accepted all the same
	Note      bool   // nothing needs to be changed
}

// String returns the fault as editors and terminals expect it: file:line:col: what (fix).
func (f Fault) String() string {
	s := f.File + ": "
	if f.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d: ", f.File, f.Line, f.Col)
	}
	switch {
	case f.Warning:
		s += "warning: "
	case f.Note:
		s += "note: "
	}
	s += f.What
	if f.Fix != "" {
		s += " (" + f.Fix + ")"
	}
	return s
}

// Faults are the faults of one file, by line. They are the error of [Load] and
// [Parse], together with the warnings, because a misspelt key is often the reason
// why another one is missing.
type Faults []Fault

// Error returns the faults, one per line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the sentinels among the faults, for [errors.Is].
func (f Faults) Unwrap() []error {
	var errs []error
	for i := range f {
		if f[i].Err != nil {
			errs = append(errs, f[i].Err)
		}
	}
	return errs
}
