package emulator

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/lambda"
	"deployer/testbed/aws/s3"
	"deployer/testbed/aws/scheduler"
)

// maxBody is larger than any request that the services accept.
const maxBody = 32 << 20

// ServeHTTP answers one call of an AWS API.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	start := time.Now()
	r, err := e.parse(hr)
	var answer any
	var drop Drop
	if err == nil {
		f := e.takeFault(r)
		drop = f.Drop
		if !sleep(hr.Context(), f.Latency) {
			e.record(r, start, nil, DropBefore)
			panic(http.ErrAbortHandler) // the client closed the connection
		}
		switch {
		case f.Error != nil:
			err = f.Error
		case drop != DropBefore:
			answer, err = e.call(r)
		}
	}
	err = queryError(r.Service, err)
	requestID := e.record(r, start, err, drop)
	switch {
	case drop != DropNone:
		panic(http.ErrAbortHandler)
	case r.Service == "s3":
		s3.Write(w, requestID, answer, err)
	case queryServices[r.Service] != "":
		writeXML(w, requestID, queryServices[r.Service], answer, err)
	case r.Service == "lambda", r.Service == "scheduler":
		if err != nil { // the REST protocol names the error in a header
			w.Header().Set("X-Amzn-ErrorType", err.Code)
		}
		writeJSON(w, requestID, answer, err)
	default:
		writeJSON(w, requestID, answer, err)
	}
}

// parse reads the operation and the caller. The request that it returns is never nil, but lacks what could not be read.
func (e *Emulator) parse(hr *http.Request) (*api.Request, *api.Error) {
	r := &api.Request{Now: e.backend.Clock(), Host: hr.Host, TLS: hr.TLS != nil, IAM: e.iam}
	if s3.IsPresigned(hr) {
		return r, e.s3.Open(r, hr)
	}
	body, readErr := io.ReadAll(io.LimitReader(hr.Body, maxBody))
	if readErr != nil {
		return r, api.NewError("SerializationException", "reading the request: %v", readErr)
	}
	nameOperation(r, hr, body)
	if r.Name() == "sts:AssumeRoleWithWebIdentity" { // it is not signed
		return r, nil
	}
	signature, err := api.ParseSignature(hr)
	if err != nil {
		return r, err
	}
	r.Caller = signature.Caller
	if _, known := e.operations[r.Name()]; !known {
		e.backend.Mu.Lock()
		defer e.backend.Mu.Unlock()
		e.unknown = append(e.unknown, r.Name())
		return r, api.ErrUnknownOperation
	}
	if signature.Service != r.Service {
		return r, api.NewError("InvalidSignatureException",
			"Credential should be scoped to correct service: '%s'.", r.Service)
	}
	return r, nil
}

// nameOperation fills in the operation that a request calls, and its input.
func nameOperation(r *api.Request, hr *http.Request, body []byte) {
	r.Body = body
	switch {
	case lambda.IsRequest(hr):
		r.Service = "lambda"
		r.Operation, r.Body = lambda.Parse(hr)
	case scheduler.IsRequest(hr):
		r.Service = "scheduler"
		r.Operation, r.Body = scheduler.Parse(hr, body)
	default:
		r.Service, r.Operation = parseOperation(hr, body)
	}
}

// OperationOf returns the operation that a request calls, such as "scheduler:GetSchedule"; "" if it calls none that is
// emulated. The request can still be sent.
func (e *Emulator) OperationOf(hr *http.Request) string {
	r := &api.Request{}
	switch {
	case s3.IsPresigned(hr):
		return "s3:GetObject"
	case hr.Body == nil:
		nameOperation(r, hr, nil)
	default:
		body, err := io.ReadAll(io.LimitReader(hr.Body, maxBody))
		if err != nil {
			return ""
		}
		hr.Body = io.NopCloser(bytes.NewReader(body))
		nameOperation(r, hr, body)
	}
	if _, known := e.operations[r.Name()]; !known {
		return ""
	}
	return r.Name()
}

// call carries out the operation.
func (e *Emulator) call(r *api.Request) (any, *api.Error) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	if err := e.throttle(r); err != nil {
		return nil, err
	}
	answer, err := e.operations[r.Name()](r)
	if err != nil || r.Service == "s3" || queryServices[r.Service] != "" {
		return answer, err
	}
	return api.Encode(answer), nil // under the lock: the answer refers to state
}
