// Package fault tells apart what goes wrong by who must mend it: the sender of
// an event, the keeper of the environment, or time. It classifies what AWS
// answers, and retries what passes.
package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/smithy-go"
)

// Fault is what the three classes have in common. A person reads it at night:
// it says what was being done with which values, what went wrong, what to do.
type Fault struct {
	Name  string // short and stable, such as "AccessDenied"; Lambda reports it as the error's type
	Doing string // what was being done, in gerund form; may be ""
	Err   error  // what went wrong
	Hint  string // what to do next; may be ""
}

// Error returns the fault as one line: doing: what went wrong (hint).
func (f *Fault) Error() string {
	what, hint := f.Parts()
	if hint != "" {
		what += " (" + hint + ")"
	}
	return what
}

// Parts returns what went wrong apart from what to do next.
func (f *Fault) Parts() (what, hint string) {
	what = f.Err.Error()
	if f.Doing != "" {
		what = f.Doing + ": " + what
	}
	return what, f.Hint
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Rejection is the sender's fault: the same event fails the same way for ever,
// so a retry is useless.
type Rejection struct{ Fault }

// Misconfiguration is the environment's fault: a permission, a name or a state
// in AWS that somebody must mend, after which the same event succeeds.
type Misconfiguration struct{ Fault }

// Outage is nobody's fault and passes: throttling, server errors, lost
// connections, a deadline that came too soon.
type Outage struct{ Fault }

// NameOf returns the name of the fault that err is, "Unknown" if it is none.
func NameOf(err error) string {
	var r *Rejection
	var m *Misconfiguration
	var o *Outage
	switch {
	case errors.As(err, &r):
		return r.Name
	case errors.As(err, &m):
		return m.Name
	case errors.As(err, &o):
		return o.Name
	}
	return "Unknown"
}

// Classify classifies the error of an AWS call made while doing something, by the
// table of verdicts. An error that is a fault already is returned as it is.
func Classify(doing string, err error) error {
	if err == nil || NameOf(err) != "Unknown" {
		return err
	}
	f := Fault{Doing: doing, Err: Plain(err)}
	var api smithy.APIError
	var network net.Error
	switch {
	case errors.As(err, &api):
		f.Name = strings.TrimSuffix(codeOf(api), "Exception")
		return f.judged(codeOf(api), err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f.Name = "Timeout"
		return &Outage{f}
	case errors.As(err, &network), passes(err):
		f.Name = "Unreachable"
		return &Outage{f}
	}
	f.Name, f.Hint = "Unexpected", "the deployer does not know this error: see its words"
	return &Misconfiguration{f}
}

// judged returns the fault in the class that the table has for an error code.
func (f Fault) judged(code string, err error) error {
	v, known := verdicts[code]
	switch f.Hint = v.hint; {
	case passes(err):
		f.Hint = ""
		return &Outage{f}
	case !known:
		f.Hint = "the deployer does not know this error: see AWS's words"
	case v.class == sender:
		return &Rejection{f}
	}
	return &Misconfiguration{f}
}

// isDenied reports whether AWS refused the caller, rather than the call.
func isDenied(api smithy.APIError) bool { return verdicts[codeOf(api)].hint == allowIt }

// codeOf returns the code that an error has in the table. SQS answers under the
// codes of its older protocol ("AWS.SimpleQueueService.NonExistentQueue"), and
// the SDK has the new one in the type alone.
func codeOf(api smithy.APIError) string {
	code := api.ErrorCode()
	if _, known := verdicts[code]; !known {
		if modelled, ok := strings.CutPrefix(fmt.Sprintf("%T", api), "*types."); ok {
			return modelled
		}
	}
	return code
}

// Denied returns what AWS said when it refused the caller, and whether it did.
func Denied(err error) (message string, denied bool) {
	var api smithy.APIError
	if errors.As(err, &api) && isDenied(api) {
		return api.ErrorMessage(), true
	}
	return "", false
}

// Is reports whether AWS answered with the given error code.
func Is(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

// Plain cuts the SDK's own story (operation, status, request id) from an error
// that AWS itself worded; the rest is kept whole.
func Plain(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorMessage() == "" && verdicts[api.ErrorCode()] == (verdict{}) {
		return err
	}
	text := api.ErrorCode()
	if words := api.ErrorMessage(); words != "" {
		text += ": " + words
	}
	var gave *gaveUp
	if errors.As(err, &gave) {
		text = fmt.Sprintf("%s, after %d attempts", text, gave.attempts)
	}
	return &worded{text, err}
}

// worded is an error under a shorter text.
type worded struct {
	text string
	error
}

func (w *worded) Error() string { return w.text }
func (w *worded) Unwrap() error { return w.error }
