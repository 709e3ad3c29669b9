package notify

import (
	"strings"
	"time"

	"deployer/internal/outcome"
)

// message is what a Slack incoming webhook takes. What others wrote goes into
// plain_text, in which nothing is a command; the fallback text and the few
// mrkdwn texts are escaped.
type message struct {
	Text        string  `json:"text"` // for notifications, and clients without blocks
	UnfurlLinks bool    `json:"unfurl_links"`
	UnfurlMedia bool    `json:"unfurl_media"`
	Blocks      []block `json:"blocks"`
}

// block is a header, section or context of Slack's Block Kit.
type block struct {
	Type     string `json:"type"`
	Text     any    `json:"text,omitempty"`
	Fields   []any  `json:"fields,omitempty"`
	Elements []any  `json:"elements,omitempty"`
}

// plain and mrkdwn are the two kinds of text objects.
type plain struct {
	Type  string `json:"type"` // plain_text
	Text  string `json:"text"`
	Emoji bool   `json:"emoji"` // whether :tada: is a picture; never, in what others wrote
}

type mrkdwn struct {
	Type     string `json:"type"` // mrkdwn
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"` // no links but those that are marked
}

// The most characters that Slack takes, with some to spare: of a header 150, of
// a field 2000, of a section 3000.
const (
	mostTitle = 140
	mostField = 500
	mostWhy   = 2800
)

func plainText(s string) plain    { return plain{"plain_text", s, false} }
func markedText(s string) mrkdwn  { return mrkdwn{"mrkdwn", s, true} }
func section(text any) block      { return block{Type: "section", Text: text} }
func within(elements []any) block { return block{Type: "context", Elements: elements} }

// slackMessage words an outcome for Slack.
func slackMessage(o outcome.Outcome) message {
	title := outcome.Line(o.Title(), mostTitle)
	m := message{Text: escape(title), Blocks: []block{{Type: "header", Text: plainText(title)}}}
	var fields []any
	for _, f := range slackFields(o) {
		if f.value != "" {
			fields = append(fields, plainText(f.label+": "+outcome.Line(f.value, mostField)))
		}
	}
	m.Blocks = append(m.Blocks, block{Type: "section", Fields: fields})
	if label := slackWhy[o.Kind]; label != "" {
		m.Blocks = append(m.Blocks, section(plainText(label+": "+outcome.Line(o.Why(), mostWhy))))
		m.Text += ": " + escape(outcome.Line(o.Why(), mostField))
	}
	if reason := outcome.Line(o.Cause.Reason, mostWhy); reason != "" {
		m.Blocks = append(m.Blocks, section(plainText("Asked for because: "+reason)))
	}
	if undo := o.Undo(); undo != "" {
		m.Blocks = append(m.Blocks, section(markedText("To roll back: `"+code(undo)+"`")))
	}
	if links := slackLinks(o.Links); len(links) > 0 {
		m.Blocks = append(m.Blocks, within(links))
	}
	return m
}

// slackWhy is what stands before why an outcome is not a success.
var slackWhy = map[outcome.Kind]string{
	outcome.DeploymentFailed:   "Why it failed",
	outcome.DeploymentRejected: "Why it was rejected",
}

// field is a label and what others wrote; Slack takes ten of them.
type field struct{ label, value string }

func slackFields(o outcome.Outcome) []field {
	by, took := o.Cause.Actor, ""
	switch {
	case o.Foreign:
		by = "somebody else, not the deployer"
	case by == "":
		by = o.Cause.Source
	case o.Cause.Source != "":
		by += " (" + o.Cause.Source + ")"
	}
	if d, known := o.Took(); known && o.Ended() {
		took = d.Round(time.Second).String()
	}
	return []field{
		{"Project", o.Project},
		{"Environment", o.Environment},
		{"Service", o.Service},
		{"Tag", o.Tag},
		{"Image", slackChange(o.Image)},
		{"Revision", slackChange(o.Revision)},
		{"Rolled back to", outcome.Short(o.RolledBackTo.Revision)},
		{"By", by},
		{"Took", took},
		{"Event", o.Cause.ID},
	}
}

func slackChange(c outcome.Change) string {
	switch {
	case c.After == "":
		return ""
	case c.Before == "":
		return outcome.Short(c.After)
	}
	return outcome.Short(c.Before) + " → " + outcome.Short(c.After)
}

func slackLinks(l outcome.Links) (links []any) {
	for _, f := range []field{{"Service", l.Service}, {"Deployments", l.Deployment}, {"Task definition", l.TaskDefinition}, {"Logs", l.Logs}} {
		if f.value != "" {
			links = append(links, markedText("<"+escape(f.value)+"|"+f.label+">"))
		}
	}
	return links
}

// escape makes a text harmless in mrkdwn. See "Escaping text" in "Formatting
// text for app surfaces".
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// code makes a text harmless between two back quotes.
func code(s string) string {
	return escape(strings.ReplaceAll(outcome.Line(s, mostField), "`", "'"))
}
