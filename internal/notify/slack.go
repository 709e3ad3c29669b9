package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/environment"
	"deployer/internal/outcome"
)

// slack is a Slack channel behind an incoming webhook.
type slack struct{ webhook *webhook }

// toSlack is Slack behind its incoming webhooks. It answers 200 with "ok" to a message that
// it accepts; any other status is an error ("Sending messages using incoming webhooks" in
// Slack's documentation). The text is not checked: what takes Slack's place answers 200 with
// another one.
var toSlack = receiver{name: "Slack", example: "https://hooks.slack.com/services/…",
	accepted: func(status int) bool { return status == http.StatusOK }}

// newSlack returns the Slack channel of an environment file, nil if it has none.
func newSlack(n environment.Notify, config aws.Config) Channel {
	switch {
	case n.Slack != "":
		return &slack{newWebhook(toSlack, parameter(config, n.Slack))}
	case n.SlackWebhook != "":
		return &slack{newWebhook(toSlack, fixed(n.SlackWebhook))}
	}
	return nil
}

// Name implements [Channel].
func (*slack) Name() string { return "slack" }

// Send implements [Channel].
func (c *slack) Send(ctx context.Context, s Summary) error {
	body, err := json.Marshal(slackMessageOf(s))
	if err != nil {
		return err
	}
	return c.webhook.send(ctx, body)
}

// slackMessage is the body of a post to an incoming webhook. What senders wrote
// goes into plain_text, in which Slack reads no mentions and no links. The
// fallback text and the few mrkdwn texts are escaped.
type slackMessage struct {
	Text        string       `json:"text"` // for notifications, and clients without blocks
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
	Blocks      []slackBlock `json:"blocks"`
}

// slackBlock is a header, section or context of Slack's Block Kit.
type slackBlock struct {
	Type     string `json:"type"`
	Text     any    `json:"text,omitempty"`
	Fields   []any  `json:"fields,omitempty"`
	Elements []any  `json:"elements,omitempty"`
}

// slackPlain is a text object in which nothing is a command.
type slackPlain struct {
	Type  string `json:"type"` // plain_text
	Text  string `json:"text"`
	Emoji bool   `json:"emoji"` // whether :tada: becomes a picture; always false, for senders may write it
}

// slackMarked is a text object in Slack's markup.
type slackMarked struct {
	Type     string `json:"type"` // mrkdwn
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"` // only marked links are links
}

// The maximum numbers of characters, below Slack's own limits: 150 of a header,
// 2000 of a field, 3000 of a section.
const (
	slackMaxTitle = 140
	slackMaxField = 500
	slackMaxText  = 2800

	slackMaxFields = 10 // of a section
)

func slackText(s string) slackPlain    { return slackPlain{"plain_text", s, false} }
func slackMarkup(s string) slackMarked { return slackMarked{"mrkdwn", s, true} }
func slackSection(text any) slackBlock { return slackBlock{Type: "section", Text: text} }
func slackRow(r Row, limit int) slackPlain {
	return slackText(r.Label + ": " + outcome.Line(r.Value, limit))
}

// slackMessageOf renders a summary.
func slackMessageOf(s Summary) slackMessage {
	title := outcome.Line(s.Title, slackMaxTitle)
	m := slackMessage{Text: slackEscape(title), Blocks: []slackBlock{{Type: "header", Text: slackText(title)}}}
	var fields []any
	for _, r := range s.Rows {
		fields = append(fields, slackRow(r, slackMaxField))
	}
	for part := range slices.Chunk(fields, slackMaxFields) {
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Fields: part})
	}
	if s.Why.Label != "" {
		m.Blocks = append(m.Blocks, slackSection(slackRow(s.Why, slackMaxText)))
		m.Text += ": " + slackEscape(outcome.Line(s.Why.Value, slackMaxField))
	}
	if outcome.Line(s.Tasks.Value, slackMaxText) != "" {
		m.Blocks = append(m.Blocks, slackSection(slackRow(s.Tasks, slackMaxText)))
	}
	if outcome.Line(s.Reason.Value, slackMaxText) != "" {
		m.Blocks = append(m.Blocks, slackSection(slackRow(s.Reason, slackMaxText)))
	}
	if s.Next != "" {
		m.Blocks = append(m.Blocks, slackSection(slackMarkup("To continue: `"+slackCode(s.Next)+"`")))
	}
	if s.Undo != "" {
		m.Blocks = append(m.Blocks, slackSection(slackMarkup("To roll back: `"+slackCode(s.Undo)+"`")))
	}
	var links []any
	for _, l := range s.Links {
		links = append(links, slackMarkup("<"+slackEscape(l.URL)+"|"+l.Label+">"))
	}
	if len(links) > 0 {
		m.Blocks = append(m.Blocks, slackBlock{Type: "context", Elements: links})
	}
	return m
}

// slackEscape escapes a text for mrkdwn. See "Escaping text" in Slack's
// "Formatting text for app surfaces".
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// slackCode escapes a text for use between two back quotes.
func slackCode(s string) string {
	return slackEscape(withoutBackquotes(outcome.Line(s, slackMaxField)))
}
