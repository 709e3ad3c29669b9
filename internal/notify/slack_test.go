package notify

import (
	"strings"
	"testing"
	"unicode/utf8"

	"deployer/internal/notify/notifytest"
	"deployer/internal/outcome"
)

// outcomes are one of every kind, and a hostile one.
func outcomes(t *testing.T) map[string]outcome.Outcome {
	t.Helper()
	return notifytest.Outcomes(t, "..", "\"quoted\"\n*Project:* other <!channel> <https://evil.example|the console> & @here :tada: `code` \u202eesrever")
}

// TestSlackMessages holds the messages to the letter. UPDATE_GOLDEN=1 rewrites
// the files.
func TestSlackMessages(t *testing.T) {
	t.Parallel()
	for name, o := range outcomes(t) {
		notifytest.Golden(t, "slack-"+name+".json", slackMessage(o))
	}
}

// TestSlackTakesIt holds the limits of Slack's blocks, for texts of any length,
// and that nothing which others wrote is a command where commands are read.
func TestSlackTakesIt(t *testing.T) {
	t.Parallel()
	all := outcomes(t)
	long := all["hostile"]
	for _, s := range []*string{&long.Project, &long.Environment, &long.Service, &long.Tag, &long.Image.Before, &long.Image.After, &long.Cause.Actor, &long.Cause.Source, &long.Cause.Reason, &long.ECSReason, &long.Cause.ID} {
		*s = strings.Repeat("<!channel>é", 1000)
	}
	all["long"] = long
	for name, o := range all {
		m := slackMessage(o)
		commands := []string{m.Text}
		length := func(text any, most int) {
			switch text := text.(type) {
			case mrkdwn:
				commands = append(commands, text.Text)
			case plain:
				if n := utf8.RuneCountInString(text.Text); n > most || n == 0 || strings.Contains(text.Text, "\n") || text.Emoji {
					t.Errorf("%s: a text of %d characters, of which Slack takes %d, on one line: %.50s", name, n, most, text.Text)
				}
			}
		}
		for _, b := range m.Blocks {
			switch {
			case b.Type == "header":
				length(b.Text, 150)
			case b.Fields != nil:
				if len(b.Fields) > 10 {
					t.Errorf("%s: %d fields", name, len(b.Fields))
				}
				for _, f := range b.Fields {
					length(f, 2000)
				}
			case b.Elements != nil:
				for _, e := range b.Elements {
					length(e, 2000)
				}
			default:
				length(b.Text, 3000)
			}
		}
		for _, c := range commands {
			if rest := strings.ReplaceAll(c, "<https://us-east-1.console.aws.amazon.com/", ""); strings.Contains(rest, "<") || utf8.RuneCountInString(c) > 3000 {
				t.Errorf("%s: there may be a command in %.200s", name, c)
			}
		}
	}
}
