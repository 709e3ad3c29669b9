package emulator

import (
	"crypto/md5"
	"fmt"
	"slices"
	"strings"
	"time"
)

// held is a message with what its queue knows of it.
type held struct {
	Message
	id      string
	receipt string    // of the latest receipt; "" before the first
	visible time.Time // from when on it can be received
}

// CreateQueue makes an SQS queue, if there is none of the name, and returns its
// ARN. A queue also comes to be by a template, and by the first message to it.
func (e *Emulator) CreateQueue(account, region, name string) (arn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	arn = scopeKey{account, region}.arn("sqs", name)
	e.makeQueue(arn)
	return arn
}

func (e *Emulator) makeQueue(arn string) {
	if _, made := e.queues[arn]; !made {
		e.queues[arn] = nil
	}
}

// enqueue puts a message into the queue with the ARN.
func (e *Emulator) enqueue(arn string, m Message) (id string) {
	h := &held{Message: m, id: e.newUUID()}
	e.queues[arn] = append(e.queues[arn], h)
	return h.id
}

// queueARN returns the ARN of the queue that a URL means: its last two parts are
// the account and the name.
func queueARN(r *request, url string) (string, *Error) {
	parts := strings.Split(url, "/")
	if len(parts) < 2 {
		return "", badRequest("InvalidAddress", "The address %s is not valid for this endpoint.", url)
	}
	return "arn:aws:sqs:" + r.region + ":" + parts[len(parts)-2] + ":" + parts[len(parts)-1], nil
}

// mayRead asks for access to the queue that a URL means, which has to exist.
func (e *Emulator) mayRead(r *request, url string) (string, *Error) {
	arn, err := e.mayUse(r, url)
	if err != nil {
		return "", err
	}
	if _, made := e.queues[arn]; !made {
		return "", badRequest("QueueDoesNotExist", "The specified queue does not exist.")
	}
	return arn, nil
}

// mayUse asks for access to the queue that a URL means.
func (e *Emulator) mayUse(r *request, url string) (string, *Error) {
	arn, err := queueARN(r, url)
	if err != nil {
		return "", err
	}
	return arn, e.authorize(r, access{action: r.name(), resource: arn, policy: e.queuePolicies[arn]})
}

type messageAttribute struct{ StringValue, DataType string }

type sendMessageInput struct {
	QueueUrl, MessageBody string
	MessageAttributes     map[string]messageAttribute
}

func (e *Emulator) sendMessage(r *request, in sendMessageInput) (any, *Error) {
	arn, err := e.mayUse(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.MessageBody == "" {
		return nil, badRequest("MissingParameter", "The request must contain the parameter MessageBody.")
	}
	m := Message{Body: []byte(in.MessageBody)}
	for name, a := range in.MessageAttributes {
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		m.Attributes[name] = a.StringValue
	}
	return object{"MessageId": e.enqueue(arn, m), "MD5OfMessageBody": sumMD5(in.MessageBody)}, nil
}

type receiveMessageInput struct {
	QueueUrl              string
	MaxNumberOfMessages   int
	VisibilityTimeout     *int
	MessageAttributeNames []string
}

// receiveMessage returns what is visible at once, whatever the caller would wait for.
func (e *Emulator) receiveMessage(r *request, in receiveMessageInput) (any, *Error) {
	arn, err := e.mayRead(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	most, timeout := max(1, in.MaxNumberOfMessages), 30
	if most > 10 {
		return nil, badRequest("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", most)
	}
	if in.VisibilityTimeout != nil {
		timeout = *in.VisibilityTimeout
	}
	messages := []object{}
	for _, h := range e.queues[arn] {
		if len(messages) == most {
			break
		}
		if h.visible.After(r.now) {
			continue
		}
		h.receipt, h.visible = e.newUUID(), r.now.Add(time.Duration(timeout)*time.Second)
		message := object{"MessageId": h.id, "ReceiptHandle": h.receipt, "Body": string(h.Body), "MD5OfBody": sumMD5(string(h.Body))}
		if attributes := h.asked(in.MessageAttributeNames); len(attributes) > 0 {
			message["MessageAttributes"] = attributes
		}
		messages = append(messages, message)
	}
	if len(messages) == 0 {
		return object{}, nil
	}
	return object{"Messages": messages}, nil
}

// asked returns the attributes of a message that a receiver asked for by name.
func (h *held) asked(names []string) map[string]messageAttribute {
	attributes := map[string]messageAttribute{}
	for name, value := range h.Attributes {
		if slices.Contains(names, name) || slices.Contains(names, "All") || slices.Contains(names, ".*") {
			attributes[name] = messageAttribute{value, "String"}
		}
	}
	return attributes
}

type receiptInput struct {
	QueueUrl, ReceiptHandle string
	VisibilityTimeout       int
}

// deleteMessage deletes the message of a receipt; of one that is gone, it succeeds too.
func (e *Emulator) deleteMessage(r *request, in receiptInput) (any, *Error) {
	arn, err := e.mayRead(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	e.queues[arn] = slices.DeleteFunc(e.queues[arn], func(h *held) bool { return h.receipt != "" && h.receipt == in.ReceiptHandle })
	return object{}, nil
}

func (e *Emulator) changeMessageVisibility(r *request, in receiptInput) (any, *Error) {
	arn, err := e.mayRead(r, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	for _, h := range e.queues[arn] {
		if h.receipt != "" && h.receipt == in.ReceiptHandle {
			h.visible = r.now.Add(time.Duration(in.VisibilityTimeout) * time.Second)
			return object{}, nil
		}
	}
	return nil, badRequest("InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", in.ReceiptHandle)
}

// sumMD5 is the checksum by which SQS's clients see that a body arrived whole.
func sumMD5(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
