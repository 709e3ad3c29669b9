// Package lambda emulates the part of AWS Lambda that is read about a function: its configuration (Lambda API
// reference, "GetFunctionConfiguration"). Package events delivers events to functions.
package lambda

import (
	"net/http"
	"net/url"
	"strings"

	"deployer/testbed/aws/api"
)

// A Function is a Lambda function. It is updated and active.
type Function struct {
	ARN, RoleARN, Runtime, Handler string
	Environment                    map[string]string
}

// A Server is AWS Lambda in all accounts and regions.
type Server struct {
	backend   *api.Backend
	functions map[string]Function // by ARN
}

// New returns a Lambda without functions.
func New(backend *api.Backend) *Server {
	return &Server{backend: backend, functions: map[string]Function{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{"lambda:GetFunctionConfiguration": s.getFunctionConfiguration}
}

// Create creates a function, or replaces the one with its ARN.
func (s *Server) Create(f Function) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.functions[f.ARN] = f
}

// Delete deletes the function with the ARN, if there is one.
func (s *Server) Delete(arn string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	delete(s.functions, arn)
}

// functionsPath is the path of requests about functions.
const functionsPath = "/2015-03-31/functions/"

// IsRequest reports whether a request is for Lambda, whose protocol names the operation by method and path.
func IsRequest(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, functionsPath) }

// Parse returns the operation that a request calls and its input: the function's name or ARN.
func Parse(r *http.Request) (operation string, input []byte) {
	name, of, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), functionsPath), "/")
	if unescaped, err := url.PathUnescape(name); err == nil {
		name = unescaped
	}
	if r.Method == http.MethodGet && of == "configuration" {
		return "GetFunctionConfiguration", []byte(name)
	}
	return r.Method + " " + r.URL.Path, nil
}

func (s *Server) getFunctionConfiguration(r *api.Request) (any, *api.Error) {
	arn := string(r.Body)
	if !strings.HasPrefix(arn, "arn:") {
		arn = r.Scope().ARN("lambda", "function:"+arn)
	}
	if err := r.Authorize(api.Access{Action: "lambda:GetFunctionConfiguration", Resource: arn}); err != nil {
		return nil, err
	}
	f, ok := s.functions[arn]
	if !ok {
		return nil, &api.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException",
			Message: "Function not found: " + arn}
	}
	answer := api.Object{
		"FunctionArn": f.ARN, "FunctionName": f.ARN[strings.LastIndexByte(f.ARN, ':')+1:], "Role": f.RoleARN,
		"Runtime": f.Runtime, "Handler": f.Handler, "State": "Active", "LastUpdateStatus": "Successful",
	}
	if len(f.Environment) > 0 {
		answer["Environment"] = api.Object{"Variables": f.Environment}
	}
	return answer, nil
}
