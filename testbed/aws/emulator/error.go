package emulator

import (
	"fmt"
	"net/http"
)

// An Error is an error answer of a service, as clients get it.
type Error struct {
	Status  int    // the HTTP status
	Code    string // such as "ClusterNotFoundException"
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Throttled is what a service answers when calls come too fast.
func Throttled() *Error { return badRequest("ThrottlingException", "Rate exceeded") }

// ServerFault is what a service answers when it is itself at fault.
func ServerFault() *Error {
	return &Error{http.StatusInternalServerError, "ServerException", "Service Unavailable. Please try again later."}
}

// ConcurrentRevisions is what RegisterTaskDefinition answers when several callers
// register the same family at once; SDKs do not retry it.
func ConcurrentRevisions() *Error {
	return errClient("Too many concurrent attempts to create a new revision of the specified family.")
}

// Unavailable is what stands in front of a service that cannot be reached.
func Unavailable() *Error {
	return &Error{http.StatusServiceUnavailable, "ServiceUnavailableException", "Service Unavailable"}
}

// AccessDenied is what a service answers when no policy allows the action.
func AccessDenied(message string) *Error {
	return &Error{http.StatusBadRequest, "AccessDeniedException", message}
}

// badRequest is an error with the status that nearly all errors of the JSON protocol have.
func badRequest(code, format string, args ...any) *Error {
	return &Error{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

func errClient(format string, args ...any) *Error {
	return badRequest("ClientException", format, args...)
}

func errInvalidParameter(format string, args ...any) *Error {
	return badRequest("InvalidParameterException", format, args...)
}

func errValidation(format string, args ...any) *Error {
	return badRequest("ValidationException", format, args...)
}

func errMissingAuthentication(message string) *Error {
	return &Error{http.StatusForbidden, "MissingAuthenticationTokenException", message}
}

func errUnrecognizedClient() *Error {
	return &Error{http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid."}
}

func errUnknownOperation() *Error {
	return badRequest("UnknownOperationException", "The requested operation is not recognized by the service.")
}
