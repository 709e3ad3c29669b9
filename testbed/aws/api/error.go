package api

import (
	"fmt"
	"net/http"
)

// An Error is an error answer of a service, as clients receive it.
type Error struct {
	Status  int    // the HTTP status
	Code    string // such as "ClusterNotFoundException"
	Message string
	Members Object // further members that the error's shape has, in the JSON protocol
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The errors that all services have (for example ECS API reference, "Common errors").
var (
	ErrThrottled        = NewError("ThrottlingException", "Rate exceeded")
	ErrUnknownOperation = NewError("UnknownOperationException", "The requested operation is not recognized by the "+
		"service.")
	ErrServerFault = &Error{Status: http.StatusInternalServerError, Code: "ServerException",
		Message: "Service Unavailable. Please try again later."}
	ErrUnavailable = &Error{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailableException",
		Message: "Service Unavailable"}
	ErrUnrecognizedClient = &Error{Status: http.StatusForbidden, Code: "UnrecognizedClientException",
		Message: "The security token included in the request is invalid."}
)

// NewError returns an error with status 400, which nearly all errors of the JSON protocol have.
func NewError(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

// AccessDenied returns the error of a caller without permission.
func AccessDenied(message string) *Error { return NewError("AccessDeniedException", "%s", message) }

// InvalidParameter returns the error of ECS and ECR for a parameter that is not valid.
func InvalidParameter(format string, args ...any) *Error {
	return NewError("InvalidParameterException", format, args...)
}

// Validation returns the error of EventBridge and Systems Manager for a parameter that is not valid.
func Validation(format string, args ...any) *Error {
	return NewError("ValidationException", format, args...)
}

func missingAuthentication(message string) *Error {
	return &Error{Status: http.StatusForbidden, Code: "MissingAuthenticationTokenException", Message: message}
}
