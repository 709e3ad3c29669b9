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
	errRange        = &api.Error{Status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange",
		Message: "The requested range is not satisfiable"}
	errTwoAuth = api.NewError("InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm "+
		"query parameter, "+
		"Signature query string parameter or the Authorization header should be specified")
)

// A Server is Amazon S3.
type Server struct {
	backend *api.Backend
	events  api.Publisher
	objects map[string]object // by the token of their URL
}

// An object is what one presigned URL leads to. It is read as the caller that the URL was made for.
type object struct {
	caller  api.Caller
	content []byte
	expires time.Time
}

// New returns an S3 without objects.
func New(backend *api.Backend, events api.Publisher) *Server {
	return &Server{backend: backend, events: events, objects: map[string]object{}}
}

// Created sends the event that an object was put into a bucket of the scope, whose notifications go to EventBridge (S3
// user guide, "EventBridge event message structure"). Unlike in S3's other notifications, the key is not URL-encoded.
func (s *Server) Created(scope api.Scope, bucket, key string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.events.Publish(api.Event{Scope: scope, Time: s.backend.Clock(), Source: "aws.s3", DetailType: "Object Created",
		Resources: []string{"arn:" + api.Partition(scope.Region) + ":s3:::" + bucket},
		Detail: api.Object{"version": "0", "bucket": api.Object{"name": bucket}, "object": api.Object{
			"key": key, "size": 42, "etag": "b1946ac92492d2347c6235b4d2611184", "version-id": s.backend.NewToken(),
			"sequencer": "00617F08299329D189"}, "request-id": "N4N7GDK58NMKJ12R", "requester": scope.Account,
			"source-ip-address": "192.0.2.1", "reason": "PutObject"}})
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
	if wanted := hr.Header.Get("Range"); wanted != "" {
		r.Body = []byte(token + " " + wanted)
	}
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
	token, wanted, ranged := strings.Cut(string(r.Body), " ")
	o := s.objects[token]
	if r.Now.After(o.expires) {
		return nil, errExpired
	}
	if !ranged {
		return o.content, nil
	}
	return o.part(wanted)
}

// A part is the part of an object that a request with a Range header asked for.
type part struct {
	content []byte
	span    string // the answer's Content-Range
}

// part returns the part that a Range header of one range names (S3 API reference, "GetObject"; RFC 9110, 14.2). S3 does
// not support several ranges.
func (o object) part(header string) (any, *api.Error) {
	var first, last int
	if n, err := fmt.Sscanf(header, "bytes=%d-%d", &first, &last); n != 2 || err != nil || first > last {
		return o.content, nil // a header that is not valid is ignored
	}
	if first >= len(o.content) {
		return nil, errRange
	}
	last = min(last, len(o.content)-1)
	return part{o.content[first : last+1], fmt.Sprintf("bytes %d-%d/%d", first, last, len(o.content))}, nil
}

// Write writes an answer as S3 does.
func Write(w http.ResponseWriter, requestID string, answer any, err *api.Error) {
	w.Header().Set("X-Amz-Request-Id", requestID)
	body, _ := answer.([]byte)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Accept-Ranges", "bytes")
	status := http.StatusOK
	if p, ok := answer.(part); ok {
		body, status = p.content, http.StatusPartialContent
		w.Header().Set("Content-Range", p.span)
	}
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
		status = err.Status
	}
	w.WriteHeader(status)
	w.Write(body)
}
