// Package lambda emulates the part of AWS Lambda that is read about a function: its configuration and its code (Lambda
// API reference, "GetFunctionConfiguration" and "GetFunction"). Package events delivers events to functions.
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
	Code                           []byte // the zip; nil for a function whose code is a container image
}

// A Presigner returns URLs from which code can be downloaded. Lambda keeps it in S3.
type Presigner interface {
	Presign(r *api.Request, content []byte) (url string)
}

// A Server is AWS Lambda in all accounts and regions.
type Server struct {
	backend   *api.Backend
	code      Presigner
	functions map[string]Function // by ARN
}

// New returns a Lambda without functions.
func New(backend *api.Backend, code Presigner) *Server {
	return &Server{backend: backend, code: code, functions: map[string]Function{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{
		"lambda:GetFunction":              s.getFunction,
		"lambda:GetFunctionConfiguration": s.getFunctionConfiguration,
	}
}

// Create creates a function, or replaces the one with its ARN.
func (s *Server) Create(f Function) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.functions[f.ARN] = f
}

// SetCode replaces the code of the function with the ARN, if there is one.
func (s *Server) SetCode(arn string, zip []byte) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	if f, ok := s.functions[arn]; ok {
		f.Code = zip
		s.functions[arn] = f
	}
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
	if r.Method == http.MethodGet && of == "" {
		return "GetFunction", []byte(name)
	}
	return r.Method + " " + r.URL.Path, nil
}

// find returns the function that a request names, if the caller may make the call.
func (s *Server) find(r *api.Request) (Function, *api.Error) {
	arn := string(r.Body)
	if !strings.HasPrefix(arn, "arn:") {
		arn = r.Scope().ARN("lambda", "function:"+arn)
	}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn}); err != nil {
		return Function{}, err
	}
	f, ok := s.functions[arn]
	if !ok {
		return Function{}, &api.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException",
			Message: "Function not found: " + arn}
	}
	return f, nil
}

func (s *Server) getFunctionConfiguration(r *api.Request) (any, *api.Error) {
	f, err := s.find(r)
	if err != nil {
		return nil, err
	}
	return f.configuration(), nil
}

func (f Function) configuration() api.Object {
	answer := api.Object{
		"FunctionArn": f.ARN, "FunctionName": f.ARN[strings.LastIndexByte(f.ARN, ':')+1:], "Role": f.RoleARN,
		"Runtime": f.Runtime, "Handler": f.Handler, "State": "Active", "LastUpdateStatus": "Successful",
	}
	if len(f.Environment) > 0 {
		answer["Environment"] = api.Object{"Variables": f.Environment}
	}
	return answer
}

// getFunction returns the configuration, and the code as a presigned URL or as the address of an image.
func (s *Server) getFunction(r *api.Request) (any, *api.Error) {
	f, err := s.find(r)
	if err != nil {
		return nil, err
	}
	code := api.Object{"RepositoryType": "ECR", "ImageUri": "image"}
	if f.Code != nil {
		code = api.Object{"RepositoryType": "S3", "Location": s.code.Presign(r, f.Code)}
	}
	return api.Object{"Configuration": f.configuration(), "Code": code}, nil
}
