// Package s3 emulates the part of Amazon S3 that ECR and Lambda need: objects that are downloaded by presigned URLs (S3
// user guide, "Download and upload objects with presigned URLs").
package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

const (
	pathPrefix = "/layers/" // of presigned URLs
	validFor   = time.Hour  // as long as the URLs of ECR are
)

// The errors of S3 (S3 API reference, "Error responses").
var (
	errAccessDenied = &api.Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Access Denied"}
	errExpired      = &api.Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Request has expired"}
	errTwoAuth      = api.NewError("InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm "+
		"query parameter, "+
		"Signature query string parameter or the Authorization header should be specified")
)

// A Server is Amazon S3.
type Server struct {
	backend *api.Backend
	objects map[string]object // by the token of their URL
}

// An object is what one presigned URL leads to. It is read as the caller that the URL was made for.
type object struct {
	caller  api.Caller
	content []byte
	expires time.Time
}

// New returns an S3 without objects.
func New(backend *api.Backend) *Server {
	return &Server{backend: backend, objects: map[string]object{}}
}

// Operations returns the operations that are emulated. GetObject is called by a presigned URL only.
func (s *Server) Operations() api.Operations {
	return api.Operations{"s3:GetObject": s.getObject}
}

// Presign returns a URL on the host that the request called, from which the content can be read for an hour.
func (s *Server) Presign(r *api.Request, content []byte) (url string) {
	token := s.backend.NewUUID()
	s.objects[token] = object{r.Caller, content, r.Now.Add(validFor)}
	scheme := "http"
	if r.TLS {
		scheme = "https"
	}
	return scheme + "://" + r.Host + pathPrefix + token
}

// IsPresigned reports whether a request is for a presigned URL.
func IsPresigned(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, pathPrefix)
}

// Open fills in a request for a presigned URL. As in S3, credentials besides the URL's own are an error.
func (s *Server) Open(r *api.Request, hr *http.Request) *api.Error {
	token := strings.TrimPrefix(hr.URL.Path, pathPrefix)
	r.Service, r.Operation, r.Body = "s3", "GetObject", []byte(token)
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	o, ok := s.objects[token]
	if !ok {
		return errAccessDenied
	}
	r.Caller = o.caller
	if hr.Header.Get("Authorization") != "" {
		return errTwoAuth
	}
	return nil
}

func (s *Server) getObject(r *api.Request) (any, *api.Error) {
	o := s.objects[string(r.Body)]
	if r.Now.After(o.expires) {
		return nil, errExpired
	}
	return o.content, nil
}

// Write writes an answer as S3 does.
func Write(w http.ResponseWriter, requestID string, answer any, err *api.Error) {
	w.Header().Set("X-Amz-Request-Id", requestID)
	body, _ := answer.([]byte)
	w.Header().Set("Content-Type", "application/octet-stream")
	if err != nil {
		var xmlErr error
		body, xmlErr = xml.Marshal(struct {
			XMLName                  xml.Name `xml:"Error"`
			Code, Message, RequestId string
		}{Code: err.Code, Message: err.Message, RequestId: requestID})
		if xmlErr != nil {
			panic(fmt.Sprintf("encoding an error: %v", xmlErr))
		}
		w.Header().Set("Content-Type", "application/xml")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if err != nil {
		w.WriteHeader(err.Status)
	}
	w.Write(body)
}
