// Package sqs emulates queues of Amazon SQS (SQS API reference). A queue exists from its first use on.
package sqs

import (
	"deployer/internal/iam"
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/kms"
)

// A Server is Amazon SQS in all accounts and regions.
type Server struct {
	backend  *api.Backend
	iam      Authorizer
	queues   map[string][]*storedMessage // by ARN
	keys     map[string]string           // ARNs of customer managed keys, by queue
	policies map[string]*iam.Document    // of the queues that a template made, by ARN; nil for a queue without policy
}

// An Authorizer decides about the calls of callers, and of AWS services.
type Authorizer interface {
	api.Authorizer
	// AuthorizeService reports whether the policy of a resource allows a service, such as events.amazonaws.com.
	AuthorizeService(service string, a api.Access) bool
}

// New returns an SQS without queues.
func New(backend *api.Backend, authorizer Authorizer) *Server {
	return &Server{backend: backend, iam: authorizer, queues: map[string][]*storedMessage{}, keys: map[string]string{},
		policies: map[string]*iam.Document{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{
		"sqs:ChangeMessageVisibility": api.JSON(s.changeMessageVisibility),
		"sqs:DeleteMessage":           api.JSON(s.deleteMessage),
		"sqs:GetQueueAttributes":      api.JSON(s.getQueueAttributes),
		"sqs:ReceiveMessage":          api.JSON(s.receiveMessage),
		"sqs:SendMessage":             api.JSON(s.sendMessage),
	}
}

// Create creates a queue, if there is none of the name, and returns its ARN.
func (s *Server) Create(scope api.Scope, name string) (arn string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	arn = scope.ARN("sqs", name)
	s.create(arn)
	return arn
}

func (s *Server) create(arn string) {
	if _, ok := s.queues[arn]; !ok {
		s.queues[arn] = nil
	}
}

// CreateWithPolicy creates the queue with the ARN. EventBridge may send messages to it only if its policy allows that;
// to a queue without policy, nil, it may not.
func (s *Server) CreateWithPolicy(arn string, policy *iam.Document) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.create(arn)
	s.policies[arn] = policy
}

// Encrypt gives the queue with the ARN a customer managed key.
func (s *Server) Encrypt(arn, key string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.keys[arn] = key
}

// Put puts a message into the queue with the ARN as if its SenderID had sent it.
func (s *Server) Put(arn string, m Message) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.send(arn, m)
}

// Messages returns the messages in the queue with the ARN, oldest first.
func (s *Server) Messages(arn string) []Message {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	var messages []Message
	for _, m := range s.queues[arn] {
		messages = append(messages, m.message)
	}
	return messages
}

// SendAs sends a message to a queue with the permissions of a caller, as services do that send with a role of the
// account. It is called with the backend's lock held.
func (s *Server) SendAs(caller api.Caller, queueARN string, m Message) *api.Error {
	r := &api.Request{Caller: caller, Service: "sqs", Operation: "SendMessage", IAM: s.iam, TLS: true}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: queueARN, Policy: s.policies[queueARN]}); err != nil {
		return err
	}
	if err := s.useKey(r, queueARN, kms.GenerateDataKey, kms.Decrypt); err != nil {
		return err
	}
	m.SenderID = caller.UserID()
	s.send(queueARN, m)
	return nil
}

// EventBridge is the SenderId of messages that EventBridge sends: a user of an account of AWS, without a session. It
// differs by region and is not documented; this one is from a message that was received in us-west-2.
const EventBridge = "AIDAIE6VAXUQU2DKHA7DK"

// SendFromRule sends a message to a queue in the name of an EventBridge rule. It reports false if the queue's policy
// does not allow that (EventBridge user guide, "Amazon SQS permissions"). It is called with the backend's lock held.
func (s *Server) SendFromRule(queueARN, ruleARN string, m Message) bool {
	policy, made := s.policies[queueARN]
	if made {
		_, rule, _, _ := api.SplitARN(ruleARN)
		context := map[string]string{
			"aws:SourceArn": ruleARN, "aws:SourceAccount": rule.Account, "aws:SecureTransport": "true",
			"aws:PrincipalIsAWSService": "true",
		}
		a := api.Access{Action: "sqs:SendMessage", Resource: queueARN, Context: context, Policy: policy}
		if !s.iam.AuthorizeService("events.amazonaws.com", a) {
			return false
		}
	}
	m.SenderID = EventBridge
	s.send(queueARN, m)
	return true
}
