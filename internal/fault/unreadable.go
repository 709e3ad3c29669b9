package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// isUnreadable reports whether the SDK could not read a complete answer: it is not one
// of AWS's, but for example a page of a proxy. Answers with a status of 500 or more do
// not count, because load balancers give them for AWS.
func isUnreadable(err error) bool {
	var response *smithyhttp.ResponseError
	var api smithy.APIError
	var network net.Error
	switch {
	case !errors.As(err, &response), errors.As(err, &api), errors.As(err, &network):
		return false
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, context.Canceled):
		return false
	}
	status := response.HTTPStatusCode()
	return status > 0 && status < 500
}

// unreadable returns the cause of an answer that is unreadable.
func unreadable(err error) error {
	var response *smithyhttp.ResponseError
	errors.As(err, &response)
	text := fmt.Sprintf("the answer is not one of AWS's: HTTP status %d", response.HTTPStatusCode())
	var ended *retriesEnded
	if errors.As(err, &ended) {
		text = fmt.Sprintf("%s, after %d attempts", text, ended.attempts)
	}
	return &plainError{text, err}
}
