package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"deployer/internal/fault"
	"deployer/internal/fleet"
	"deployer/internal/journal"
)

// The exit codes of every command.
const (
	exitDone     = 0
	exitNotDone  = 1 // or explain, status, doctor or validate found a problem
	exitUsage    = 2
	exitRejected = 3 // by the deployer, or because ECR does not have the image
	exitFailed   = 4 // the rollout, or the task that was run
	exitNotEnded = 5 // the time is over, or the command was interrupted
	exitAWS      = 6 // AWS refused or did not answer, or the credentials are wrong
)

// errNotDone ends a command with exit code 1 after its output has already reported what
// is wrong; errRejected is the same for code 3, errRolloutFailed and
// errTaskFailed for 4, and errReportedUsage for 2.
var (
	errNotDone       = errors.New("not done")
	errReportedUsage = fmt.Errorf("wrong usage: %w", errNotDone)
	errRejected      = fmt.Errorf("rejected: %w", errNotDone)
	errRolloutFailed = fmt.Errorf("the rollout failed: %w", errNotDone)
	errTaskFailed    = fmt.Errorf("the task failed: %w", errNotDone)
)

// notEnded is the error of what has not ended when the command ends.
type notEnded struct{ error }

func (e *notEnded) Unwrap() error { return e.error }

// ofAWS is an error of AWS or of the credentials that is no fault of a call.
type ofAWS struct{ error }

func (e *ofAWS) Unwrap() error { return e.error }

// exitCode returns the exit code for the error that a command ended with. Of several
// errors, what is worst decides: a rollout that failed, then what was rejected.
func exitCode(err error) int {
	var usage *usageError
	var ended *rolloutError
	var open *notEnded
	var api smithy.APIError
	failed := errors.As(err, &ended) && ended.end.Phase != journal.Superseded
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.Is(err, errReportedUsage):
		return exitUsage
	case failed, errors.Is(err, errRolloutFailed), errors.Is(err, errTaskFailed):
		return exitFailed
	case fault.IsRejected(err), errors.Is(err, errRejected):
		return exitRejected
	case errors.As(err, &open), errors.Is(err, context.Canceled):
		return exitNotEnded
	case fault.IsMisconfigured(err), fault.IsUnavailable(err), errors.As(err, &api), errors.As(err, new(*ofAWS)):
		return exitAWS
	}
	return exitNotDone
}

// exit prints the error that a command ended with, and returns the exit code.
func (a *app) exit(cmd *cobra.Command, err error) int {
	var usage *usageError
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil, errors.Is(err, errNoCommand):
	case errors.As(err, &usage) && !errors.As(err, &joined):
		if usage.hint == "" {
			usage.hint = a.withEnvFlag(cmd)
		}
		if usage.hint == "" {
			usage.hint = helpOf(cmd)
		}
		printError(a.err, usage)
	case !errors.Is(err, errNotDone):
		printError(a.err, err)
		if usage != nil && !hasHint(err) {
			a.hint(helpOf(cmd))
		}
	}
	a.reportUnstarted(cmd, err)
	code := exitCode(err)
	if out, ok := a.out.(*results); ok && code != exitDone && !out.used && a.wantsJSON() {
		_ = printJSON(a.out, failedCommand{errorOf(err), code})
	}
	return a.written(err, code)
}

// helpOf returns the command line that prints a command's help.
func helpOf(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return "deployer help"
	}
	return "deployer help " + cmd.Name()
}

// written returns the exit code of a command, after it has said that its results could not be printed: what another
// program reads from a full disk is not whole.
func (a *app) written(err error, code int) int {
	out, ok := a.out.(*results)
	if !ok || out.failed == nil || errors.Is(err, out.failed) {
		return code
	}
	printError(a.err, fmt.Errorf("printing the results: %w", out.failed))
	if code == exitDone {
		return exitNotDone
	}
	return code
}

// reported prints an error of one of several things, and returns the one that the command
// ends with.
func (a *app) reported(err error) error {
	printError(a.err, err)
	if exitCode(err) == exitUsage {
		return errReportedUsage
	}
	return errNotDone
}

// wantsJSON reports whether the command line has the flag --json. It may be one that cannot
// be read.
func (a *app) wantsJSON() bool {
	return slices.ContainsFunc(a.args, func(arg string) bool {
		name, value, given := strings.Cut(arg, "=")
		yes, err := strconv.ParseBool(value)
		return (name == "--json" || name == "-json") && (!given || yes && err == nil)
	})
}

// failedCommand is what a command prints with --json if it ends with an error before it has
// printed its result.
type failedCommand struct {
	Error *fleet.Error `json:"error"`
	Exit  int          `json:"exit_code"`
}

// errorOf returns an error as plain data.
func errorOf(err error) *fleet.Error {
	e := fleet.ErrorOf(err)
	var usage *usageError
	if errors.As(err, &usage) {
		e.Name, e.Hint = "Usage", usage.hint
	}
	if e.Name == "Unknown" {
		names := map[int]string{exitRejected: "Rejected", exitFailed: "Failed", exitNotEnded: "NotEnded"}
		e.Name = cmp.Or(names[exitCode(err)], e.Name)
	}
	return e
}

// results is standard output. It knows whether something was printed, and what kept it from being printed.
type results struct {
	io.Writer
	used   bool
	failed error // the first error of writing
}

// Write prints results.
func (r *results) Write(p []byte) (int, error) {
	r.used = true
	n, err := r.Writer.Write(p)
	r.failed = cmp.Or(r.failed, err)
	return n, err
}
