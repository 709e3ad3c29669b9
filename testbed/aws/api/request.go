package api

import (
	"encoding/json"
	"time"
)

// A Request is one call of one operation.
type Request struct {
	Caller    Caller
	Service   string // the signing name, such as "ecs"
	Operation string // such as "UpdateService"
	Body      []byte
	Now       time.Time  // on the emulator's clock
	Host      string     // the host that the client called
	TLS       bool       // whether the client called it over TLS
	Resources []string   // the ARNs that Authorize was called with, in order
	IAM       Authorizer // decides what the caller may do
}

// Name returns the operation as IAM writes it, such as "ecs:UpdateService".
func (r *Request) Name() string { return r.Service + ":" + r.Operation }

// Scope returns the account and the region that the call addresses.
func (r *Request) Scope() Scope { return r.Caller.Scope() }

// An Operation carries out one call. It runs with the backend's lock held.
type Operation func(*Request) (any, *Error)

// Operations are operations by their names, such as "ecs:UpdateService".
type Operations map[string]Operation

// JSON makes an operation of a method that takes the JSON body of the request as T.
func JSON[T any](method func(*Request, T) (any, *Error)) Operation {
	return func(r *Request) (any, *Error) {
		in, err := Decode[T](r)
		if err != nil {
			return nil, err
		}
		return method(r, in)
	}
}

// Decode reads the JSON body of a request.
func Decode[T any](r *Request) (T, *Error) {
	var in T
	if err := json.Unmarshal(r.Body, &in); err != nil {
		return in, NewError("SerializationException", "%v", err)
	}
	return in, nil
}
