// Package sns emulates topics of Amazon SNS without subscriptions (SNS API reference): messages stay in their topic.
package sns

import (
	"encoding/xml"
	"net/http"
	"slices"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/kms"
)

// maxMessage is the size limit of a message in bytes (SNS API reference, "Publish").
const maxMessage = 256 << 10

var errNotFound = &api.Error{Status: http.StatusNotFound, Code: "NotFound", Message: "Topic does not exist"}

// A Server is Amazon SNS in all accounts and regions.
type Server struct {
	backend *api.Backend
	topics  map[string][]string // the messages of each topic by its ARN, oldest first
	keys    map[string]string   // ARNs of customer managed keys, by topic
}

// New returns an SNS without topics.
func New(backend *api.Backend) *Server {
	return &Server{backend: backend, topics: map[string][]string{}, keys: map[string]string{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{"sns:GetTopicAttributes": s.getTopicAttributes, "sns:Publish": s.publish}
}

// Create creates a topic, if there is none of the name, and returns its ARN.
func (s *Server) Create(scope api.Scope, name string) (arn string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	arn = scope.ARN("sns", name)
	if _, ok := s.topics[arn]; !ok {
		s.topics[arn] = nil
	}
	return arn
}

// Encrypt gives the topic with the ARN a customer managed key.
func (s *Server) Encrypt(arn, key string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.keys[arn] = key
}

// Published returns the messages of the topic with the ARN, oldest first.
func (s *Server) Published(arn string) []string {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	return slices.Clone(s.topics[arn])
}

func invalidParameter(message string) *api.Error {
	return api.NewError("InvalidParameter", "Invalid parameter: %s", message)
}

func (s *Server) publish(r *api.Request) (any, *api.Error) {
	form, err := r.Form("TopicArn", "Message", "Subject")
	if err != nil {
		return nil, err
	}
	arn, message := form.Get("TopicArn"), form.Get("Message")
	service, _, _, ok := api.SplitARN(arn)
	switch {
	case !ok || service != "sns":
		return nil, invalidParameter("TopicArn")
	case message == "":
		return nil, invalidParameter("Empty message")
	case len(message) > maxMessage:
		return nil, invalidParameter("Message too long")
	}
	if err := r.Authorize(api.Access{Action: "SNS:Publish", Resource: arn}); err != nil {
		return nil, err
	}
	if _, ok := s.topics[arn]; !ok {
		return nil, errNotFound
	}
	// SNS developer guide, "Key management": publishers to encrypted topics.
	if err := kms.Use(r, "sns", s.keys[arn], kms.GenerateDataKey, kms.Decrypt); err != nil {
		return nil, &api.Error{Status: err.Status, Code: "KMSAccessDenied", Message: err.Message}
	}
	s.topics[arn] = append(s.topics[arn], message)
	return struct {
		XMLName xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ PublishResponse"`
		ID      string   `xml:"PublishResult>MessageId"`
	}{ID: s.backend.NewUUID()}, nil
}
