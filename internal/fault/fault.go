// Package fault classifies errors by what resolves them: a different event, a
// change of the environment, or a later attempt. It classifies the errors of
// AWS calls, and retries those that are transient.
package fault

import "errors"

// Fault is the part that faults of all three classes share. Its text names the
// operation and its values, the cause, and the next step.
type Fault struct {
	Name  Name   // short and stable, such as "AccessDenied"; Lambda reports it as the error's type
	Doing string // the operation in gerund form, with its values; may be ""
	Err   error  // the cause
	Hint  string // the next step; may be ""
}

// Rejection is a fault of the event: the same event always fails the same way,
// so it is not retried.
type Rejection struct{ Fault }

// Misconfiguration is a fault of the environment: a permission, a name or a
// state in AWS has to change before the same event can succeed.
type Misconfiguration struct{ Fault }

// Outage is a transient fault, such as throttling, a server error, a lost
// connection or a deadline: a later attempt can succeed.
type Outage struct{ Fault }

// Rejected returns a fault of the event. Doing is the operation in gerund form
// with its values, hint is the next step; both may be "".
func Rejected(name Name, doing string, cause error, hint string) error {
	return &Rejection{Fault{name, doing, cause, hint}}
}

// Misconfigured returns a fault of the environment. Its parameters are those of
// [Rejected].
func Misconfigured(name Name, doing string, cause error, hint string) error {
	return &Misconfiguration{Fault{name, doing, cause, hint}}
}

// Unavailable returns a transient fault. Its parameters are those of [Rejected].
func Unavailable(name Name, doing string, cause error, hint string) error {
	return &Outage{Fault{name, doing, cause, hint}}
}

// Adding returns a fault with more said about its operation, after the operation's text. Its
// class, name and hint are err's. An error of another type is returned as it is.
func Adding(err error, more string) error {
	switch f := err.(type) {
	case *Rejection:
		return Rejected(f.Name, f.Doing+more, f.Err, f.Hint)
	case *Misconfiguration:
		return Misconfigured(f.Name, f.Doing+more, f.Err, f.Hint)
	case *Outage:
		return Unavailable(f.Name, f.Doing+more, f.Err, f.Hint)
	}
	return err
}

// Incomplete returns the transient fault of an answer that lacks what AWS always
// returns, such as {} from a proxy. Doing is as for [Rejected].
func Incomplete(doing, missing string) error {
	return Unavailable(ErrIncompleteAnswer, doing, errors.New("AWS's answer has no "+missing), notFromAWS)
}

// notFromAWS is the hint of an answer that AWS does not give.
const notFromAWS = "something between may have answered, such as a proxy: see HTTPS_PROXY, AWS_ENDPOINT_URL and the " +
	"VPC's endpoints"

// IsRejected reports whether err wraps a fault of the event.
func IsRejected(err error) bool { return errors.As(err, new(*Rejection)) }

// IsMisconfigured reports whether err wraps a fault of the environment.
func IsMisconfigured(err error) bool { return errors.As(err, new(*Misconfiguration)) }

// IsUnavailable reports whether err wraps a transient fault.
func IsUnavailable(err error) bool { return errors.As(err, new(*Outage)) }

// Error returns the fault as one line: doing: cause (hint).
func (f *Fault) Error() string {
	what, hint := f.Parts()
	if hint != "" {
		what += " (" + hint + ")"
	}
	return what
}

// Parts returns the operation and its cause apart from the next step.
func (f *Fault) Parts() (what, hint string) {
	what = f.Err.Error()
	if f.Doing != "" {
		what = f.Doing + ": " + what
	}
	return what, f.Hint
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Is reports whether target is the fault's [Name].
func (f *Fault) Is(target error) bool {
	name, ok := target.(Name)
	return ok && name == f.Name
}
