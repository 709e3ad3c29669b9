package sqs

import (
	"crypto/md5"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/kms"
)

// maxReceived is how many messages one ReceiveMessage may ask for.
const maxReceived = 10

var errQueueDoesNotExist = api.NewError("QueueDoesNotExist", "The specified queue does not exist.")

// A Message is a message in a queue.
type Message struct {
	Body []byte
	// Attributes are the message attributes. EventBridge sends an event that it could not deliver with RULE_ARN,
	// TARGET_ARN, ERROR_CODE, ERROR_MESSAGE, RETRY_ATTEMPTS and, if a retry could have helped,
	// EXHAUSTED_RETRY_CONDITION.
	Attributes map[string]string
	// SenderID is the id of the principal that sent the message: that of a role and its session, of a user, or the
	// account of its administrator. It is the system attribute SenderId.
	SenderID string
}

// A storedMessage is a message with its state in the queue.
type storedMessage struct {
	message   Message
	id        string
	receipt   string    // the latest receipt handle; "" before the first
	visibleAt time.Time // from when on it can be received
	sentAt    time.Time
	received  int // how often
}

// send appends a message to the queue with the ARN.
func (s *Server) send(arn string, m Message) (id string) {
	stored := &storedMessage{message: m, id: s.backend.NewUUID(), sentAt: s.backend.Clock()}
	s.queues[arn] = append(s.queues[arn], stored)
	return stored.id
}

// queueARN returns the ARN of the queue with a URL. The last two parts of the URL are the account and the name.
func queueARN(r *api.Request, url string) (string, *api.Error) {
	parts := strings.Split(url, "/")
	if len(parts) < 2 {
		return "", api.NewError("InvalidAddress", "The address %s is not valid for this endpoint.", url)
	}
	owner := api.Scope{Account: parts[len(parts)-2], Region: r.Caller.Region}
	return owner.ARN("sqs", parts[len(parts)-1]), nil
}

// authorize checks that the caller may use the queue with a URL.
func (s *Server) authorize(r *api.Request, url string) (arn string, err *api.Error) {
	arn, err = queueARN(r, url)
	if err != nil {
		return "", err
	}
	return arn, r.Authorize(api.Access{Action: r.Name(), Resource: arn, Policy: s.policies[arn]})
}

// open is authorize for a queue that has to exist.
func (s *Server) open(r *api.Request, url string) (arn string, err *api.Error) {
	arn, err = s.authorize(r, url)
	if err != nil {
		return "", err
	}
	if _, ok := s.queues[arn]; !ok {
		return "", errQueueDoesNotExist
	}
	return arn, nil
}

// useKey checks that the caller may use the key of a queue: producers need both actions, consumers Decrypt (SQS
// developer guide, "Key management").
func (s *Server) useKey(r *api.Request, arn string, actions ...string) *api.Error {
	if err := kms.Use(r, "sqs", s.keys[arn], actions...); err != nil {
		return &api.Error{Status: err.Status, Code: "KmsAccessDenied", Message: err.Message}
	}
	return nil
}

type messageAttribute struct{ StringValue, DataType string }

type sendMessageInput struct {
	QueueUrl, MessageBody string
	MessageAttributes     map[string]messageAttribute
}

func (s *Server) sendMessage(r *api.Request, in sendMessageInput) (any, *api.Error) {
	arn, err := s.authorize(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.useKey(r, arn, kms.GenerateDataKey, kms.Decrypt); err != nil {
		return nil, err
	}
	if in.MessageBody == "" {
		return nil, api.NewError("MissingParameter", "The request must contain the parameter MessageBody.")
	}
	if err := checkBody(in.MessageBody); err != nil {
		return nil, err
	}
	m := Message{Body: []byte(in.MessageBody), SenderID: r.Caller.UserID()}
	for name, a := range in.MessageAttributes {
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		m.Attributes[name] = a.StringValue
	}
	return api.Object{"MessageId": s.send(arn, m), "MD5OfMessageBody": sumMD5(in.MessageBody)}, nil
}

type receiveMessageInput struct {
	QueueUrl              string
	MaxNumberOfMessages   int
	VisibilityTimeout     *int
	MessageAttributeNames []string

	MessageSystemAttributeNames []string
}

// receiveMessage returns what is visible at once. It does not poll for WaitTimeSeconds.
func (s *Server) receiveMessage(r *api.Request, in receiveMessageInput) (any, *api.Error) {
	arn, err := s.open(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.useKey(r, arn, kms.Decrypt); err != nil {
		return nil, err
	}
	limit, timeout := max(1, in.MaxNumberOfMessages), 30
	if limit > maxReceived {
		return nil, api.NewError("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. "+
			"Reason: Must be between 1 and 10, if provided.", limit)
	}
	if in.VisibilityTimeout != nil {
		timeout = *in.VisibilityTimeout
	}
	messages := []api.Object{}
	for _, m := range s.queues[arn] {
		if len(messages) == limit {
			break
		}
		if m.visibleAt.After(r.Now) {
			continue
		}
		m.receipt, m.visibleAt = s.backend.NewUUID(), r.Now.Add(time.Duration(timeout)*time.Second)
		m.received++
		o := m.describe(in.MessageAttributeNames)
		if system := m.system(in.MessageSystemAttributeNames); len(system) > 0 {
			o["Attributes"] = system
		}
		messages = append(messages, o)
	}
	if len(messages) == 0 {
		return api.Object{}, nil
	}
	return api.Object{"Messages": messages}, nil
}

// describe returns the message with the attributes that a receiver asks for by name.
func (m *storedMessage) describe(names []string) api.Object {
	body := string(m.message.Body)
	o := api.Object{"MessageId": m.id, "ReceiptHandle": m.receipt, "Body": body, "MD5OfBody": sumMD5(body)}
	attributes := map[string]messageAttribute{}
	for name, value := range m.message.Attributes {
		if slices.Contains(names, name) || slices.Contains(names, "All") || slices.Contains(names, ".*") {
			attributes[name] = messageAttribute{value, "String"}
		}
	}
	if len(attributes) > 0 {
		o["MessageAttributes"] = attributes
	}
	return o
}

// system returns the system attributes that a receiver asks for by name.
func (m *storedMessage) system(names []string) map[string]string {
	attributes := map[string]string{}
	for name, value := range map[string]string{
		"SenderId": m.message.SenderID, "SentTimestamp": strconv.FormatInt(m.sentAt.UnixMilli(), 10),
		"ApproximateReceiveCount": strconv.Itoa(m.received),
	} {
		if slices.Contains(names, name) || slices.Contains(names, "All") {
			attributes[name] = value
		}
	}
	return attributes
}

// checkBody checks the size and the characters of a message's body (SQS API reference, "SendMessage").
func checkBody(body string) *api.Error {
	const maxBody = 1 << 20
	if len(body) > maxBody {
		return api.NewError("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be "+
			"shorter than %d bytes.", maxBody)
	}
	for _, c := range body {
		allowed := c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c < 0xFFFE || c >= 0x10000
		if !allowed {
			return api.NewError("InvalidMessageContents", "Invalid characters found. Valid unicode characters are "+
				"#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
		}
	}
	return nil
}

type receiptInput struct {
	QueueUrl, ReceiptHandle string
	VisibilityTimeout       int
}

// deleteMessage deletes the message with a receipt handle. It succeeds too if there is none.
func (s *Server) deleteMessage(r *api.Request, in receiptInput) (any, *api.Error) {
	arn, err := s.open(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	s.queues[arn] = slices.DeleteFunc(s.queues[arn], func(m *storedMessage) bool {
		return m.receipt != "" && m.receipt == in.ReceiptHandle
	})
	return api.Object{}, nil
}

func (s *Server) changeMessageVisibility(r *api.Request, in receiptInput) (any, *api.Error) {
	arn, err := s.open(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	for _, m := range s.queues[arn] {
		if m.receipt != "" && m.receipt == in.ReceiptHandle {
			if !m.visibleAt.After(r.Now) {
				return nil, api.NewError("MessageNotInflight", "The specified message isn't in flight.")
			}
			m.visibleAt = r.Now.Add(time.Duration(in.VisibilityTimeout) * time.Second)
			return api.Object{}, nil
		}
	}
	return nil, api.NewError("InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. "+
		"Reason: Message does not exist or is not available for visibility timeout change.", in.ReceiptHandle)
}

// sumMD5 is the checksum by which clients verify a body.
func sumMD5(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
