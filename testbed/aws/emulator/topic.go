package emulator

import (
	"encoding/xml"
	"net/http"
	"regexp"
	"slices"
)

// maxMessage is the size in bytes that a message to a topic may have.
const maxMessage = 256 << 10

var topicNameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// A topic is an SNS topic. Nobody subscribes to it: what is published stays.
type topic struct {
	messages []string
}

// CreateTopic makes an SNS topic, if there is none of the name, and returns its ARN.
func (e *Emulator) CreateTopic(account, region, name string) (arn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.makeTopic(scopeKey{account, region}, name)
}

func (e *Emulator) makeTopic(key scopeKey, name string) (arn string) {
	arn = key.arn("sns", name)
	if e.topics[arn] == nil {
		e.topics[arn] = &topic{}
	}
	return arn
}

// Published returns the messages that were published to the topic with the ARN, oldest
// first.
func (e *Emulator) Published(topicARN string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.topics[topicARN]; t != nil {
		return slices.Clone(t.messages)
	}
	return nil
}

func errTopicParameter(message string) *Error {
	return badRequest("InvalidParameter", "Invalid parameter: %s", message)
}

func (e *Emulator) createTopic(r *request) (any, *Error) {
	form, err := r.form("Name")
	if err != nil {
		return nil, err
	}
	name := form.Get("Name")
	if !topicNameForm.MatchString(name) {
		return nil, errTopicParameter("Topic Name")
	}
	if err := e.authorize(r, access{action: "SNS:CreateTopic", resource: r.key().arn("sns", name)}); err != nil {
		return nil, err
	}
	return struct {
		XMLName xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ CreateTopicResponse"`
		ARN     string   `xml:"CreateTopicResult>TopicArn"`
	}{ARN: e.makeTopic(r.key(), name)}, nil
}

func (e *Emulator) publishMessage(r *request) (any, *Error) {
	form, err := r.form("TopicArn", "Message", "Subject")
	if err != nil {
		return nil, err
	}
	arn, message := form.Get("TopicArn"), form.Get("Message")
	switch service, _, _, ok := splitARN(arn); {
	case !ok || service != "sns":
		return nil, errTopicParameter("TopicArn")
	case message == "":
		return nil, errTopicParameter("Empty message")
	case len(message) > maxMessage:
		return nil, errTopicParameter("Message too long")
	}
	found := e.topics[arn]
	if err := e.authorize(r, access{action: "SNS:Publish", resource: arn}); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, &Error{http.StatusNotFound, "NotFound", "Topic does not exist"}
	}
	found.messages = append(found.messages, message)
	return struct {
		XMLName xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ PublishResponse"`
		ID      string   `xml:"PublishResult>MessageId"`
	}{ID: e.newUUID()}, nil
}
