package notify

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestSlackMessages compares the messages exactly. UPDATE_GOLDEN=1 rewrites the
// files.
func TestSlackMessages(t *testing.T) {
	t.Parallel()
	for name, o := range outcomes(t) {
		golden(t, "slack-"+name+".json", slackMessageOf(Summarize(o)))
	}
}

// TestSlackLimits checks the limits of Slack's blocks for texts of any length,
// and that no text of a sender stands unescaped where Slack reads markup.
func TestSlackLimits(t *testing.T) {
	t.Parallel()
	all := outcomes(t)
	long := all["hostile"]
	for _, s := range []*string{
		&long.Project, &long.Environment, &long.Service, &long.Tag, &long.Image.Before, &long.Image.After,
		&long.Cause.Actor, &long.Cause.Source, &long.Cause.Reason, &long.Cause.ID, &long.ECSReason,
	} {
		*s = strings.Repeat("<!channel>é", 1000)
	}
	all["long"] = long
	for name, o := range all {
		m := slackMessageOf(Summarize(o))
		commands := []string{m.Text}
		check := func(text any, limit int) {
			switch text := text.(type) {
			case slackMarked:
				commands = append(commands, text.Text)
			case slackPlain:
				n := utf8.RuneCountInString(text.Text)
				if n > limit || n == 0 || strings.Contains(text.Text, "\n") || text.Emoji {
					t.Errorf("%s: %d characters, want 1 to %d on one line: %.50s", name, n, limit, text.Text)
				}
			}
		}
		for _, b := range m.Blocks {
			switch {
			case b.Type == "header":
				check(b.Text, 150)
			case b.Fields != nil:
				if len(b.Fields) > 10 {
					t.Errorf("%s: %d fields", name, len(b.Fields))
				}
				for _, f := range b.Fields {
					check(f, 2000)
				}
			case b.Elements != nil:
				for _, e := range b.Elements {
					check(e, 2000)
				}
			default:
				check(b.Text, 3000)
			}
		}
		for _, c := range commands {
			rest := strings.ReplaceAll(c, "<https://us-east-1.console.aws.amazon.com/", "")
			if strings.Contains(rest, "<") || utf8.RuneCountInString(c) > 3000 {
				t.Errorf("%s: it may hold a command: %.200s", name, c)
			}
		}
	}
}
