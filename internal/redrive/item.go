package redrive

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"deployer/internal/event"
)

// Item is a message of the queue as people see it before its event is run. Its texts
// are the sender's: escape them before they get to a terminal.
type Item struct {
	MessageID string        `json:"message_id"`
	SentAt    time.Time     `json:"sent_at,omitzero"` // when it was put into the queue
	Form      Form          `json:"form"`
	Why       string        `json:"why,omitempty"`      // why it is in the queue; "" if that is not known
	EventID   string        `json:"event_id,omitempty"` // "" if it has none, as the following four
	Asks      string        `json:"asks,omitempty"`     // "DEPLOY", "redeploy", "rollback", or AWS's detail-type
	Service   string        `json:"service,omitempty"`  // what the event is about: services, or a repository
	Tag       string        `json:"tag,omitempty"`      // of the image
	Actor     string        `json:"actor,omitempty"`    // who asked, as the event states it
	Age       time.Duration `json:"-"`                  // of the event; 0 if its time is not known
}

// describe returns the item of a message.
func describe(m *types.Message, message Message, reading event.Reading, now time.Time) Item {
	claims := event.ClaimsOf(message.Event, now)
	item := Item{MessageID: aws.ToString(m.MessageId), Form: message.Form, Why: message.Why, EventID: claims.Cause.ID,
		Service: claims.Service, Tag: claims.Tag, Actor: claims.Cause.Actor, Asks: detailType(message.Event)}
	sent := m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)]
	if ms, err := strconv.ParseInt(sent, 10, 64); err == nil {
		item.SentAt = time.UnixMilli(ms).UTC()
	}
	if at := claims.Cause.Time; !at.IsZero() {
		item.Age = max(0, now.Sub(at))
	}
	var names []string
	for _, r := range reading.Requests {
		names = append(names, r.Workload.Label())
		switch {
		case r.Rollback:
			item.Asks = event.Rollback
		case r.Redeploy:
			item.Asks = event.Redeploy
		}
	}
	if len(names) > 0 {
		item.Service = strings.Join(names, ", ")
	}
	switch reading.Verdict {
	case event.Followed:
		item.Service = reading.Rollout.Workload.Label()
	case event.Ran:
		item.Service = reading.Run.Workload.Label()
	}
	return item
}

// detailType returns the detail-type of an event, "" if it has none.
func detailType(raw json.RawMessage) string {
	var e struct {
		DetailType string `json:"detail-type"`
	}
	_ = json.Unmarshal(raw, &e) // "" for what is no event
	return e.DetailType
}

// read reads a message: its item, its event, and why it is not run.
func (o owner) read(m *types.Message, now time.Time) (Item, Message, event.Reading, error) {
	attributes := map[string]string{}
	for name, a := range m.MessageAttributes {
		attributes[name] = aws.ToString(a.StringValue)
	}
	message, err := Parse([]byte(aws.ToString(m.Body)), attributes)
	reading := event.Reading{}
	if message.Event != nil {
		reading = event.Read(message.Event, o.env, now)
	}
	item := describe(m, message, reading, now)
	if err == nil {
		err = o.check(message, m.Attributes[string(types.MessageSystemAttributeNameSenderId)])
	}
	return item, message, reading, err
}
