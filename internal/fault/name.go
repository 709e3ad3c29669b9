package fault

import "errors"

// Name identifies a fault, so that callers can act on it: errors.Is(err,
// fault.ErrAccessDenied) reports whether err wraps a fault of that name. The
// name of a fault that AWS answered with is AWS's error code without
// "Exception" at its end.
type Name string

// Error returns the name.
func (n Name) Error() string { return string(n) }

// The names that callers act on.
const (
	ErrAccessDenied           Name = "AccessDenied"
	ErrClusterNotFound        Name = "ClusterNotFound"
	ErrControllerNotECS       Name = "ControllerNotECS"
	ErrImageNotFound          Name = "ImageNotFound"
	ErrImageOutsideECR        Name = "ImageOutsideECR"
	ErrIncompleteAnswer       Name = "IncompleteAnswer"
	ErrNoCredentials          Name = "NoCredentials"
	ErrNoRollback             Name = "NoRollback"
	ErrNotImage               Name = "NotImage"
	ErrPointerNotFound        Name = "PointerNotFound"
	ErrPointerRole            Name = "PointerRole"
	ErrPointerUnusable        Name = "PointerUnusable"
	ErrPlatform               Name = "PlatformMismatch"
	ErrUnexpectedMessage      Name = "UnexpectedMessage"
	ErrRepositoryNotFound     Name = "RepositoryNotFound"
	ErrRollbackInProgress     Name = "RollbackInProgress"
	ErrServiceNotActive       Name = "ServiceNotActive"
	ErrServiceNotFound        Name = "ServiceNotFound"
	ErrTaskDefinitionNotFound Name = "TaskDefinitionNotFound"
	ErrTaskNotStarted         Name = "TaskNotStarted"

	errTimeout     Name = "Timeout"
	errUnreachable Name = "Unreachable"
	errUnreadable  Name = "UnreadableAnswer"
	errUnexpected  Name = "Unexpected"
)

// NameOf returns the name of the fault that err wraps, "Unknown" if it wraps
// none. Logs and Lambda's answer hold it as the error's type.
func NameOf(err error) string {
	var r *Rejection
	var m *Misconfiguration
	var o *Outage
	switch {
	case errors.As(err, &r):
		return string(r.Name)
	case errors.As(err, &m):
		return string(m.Name)
	case errors.As(err, &o):
		return string(o.Name)
	}
	return "Unknown"
}
