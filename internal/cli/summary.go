package cli

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"deployer/internal/outcome"
)

// deployed is what a deployment of one service came to, for summaries.
type deployed struct {
	Service, Environment    string
	Tag, Digest             string // of the image; the digest is "" if it is not known
	Previous                string // the tag that ran before, else the image; "" if it is not known
	Revision                string // the revision's name, such as myproject_service_prod:7; "" if there is none
	Actor, Reason           string // as the sender stated them
	EventID, Status, Result string // Status is that of a result, Result the outcome of the rollout
	Why, Fix                string // of what is no success, and a command as the next step
	Duration                time.Duration
	Console                 string // the service's deployments in the AWS console; "" in partitions without one
}

// Statuses of a deployment in a summary.
const (
	sent      = "sent"      // and not followed
	unchanged = "unchanged" // the image runs already
	started   = "deployed"  // the service was moved to the revision
	notSent   = "not sent"
	notDone   = "not deployed" // without an event
	unknown   = "unknown"      // no deployment started, or the following was interrupted
)

// succeeded reports whether the deployment is as it was asked for, as far as is known.
func (d deployed) succeeded() bool { return d.Why == "" }

// markdown writes the deployments for $GITHUB_STEP_SUMMARY, or another page of Markdown.
func markdown(w io.Writer, all []deployed) {
	for _, d := range all {
		mark := "✅"
		switch {
		case !d.succeeded():
			mark = "❌"
		case d.Status == sent:
			mark = "📨"
		}
		result := d.Result
		if result == "" {
			result = d.Status
		}
		fmt.Fprintf(w, "### %s %s in %s: %s\n\n| | |\n|---|---|\n", mark, inCell(d.Service), inCell(d.Environment),
			inCell(result))
		row(w, "tag", code(d.Tag))
		row(w, "digest", code(d.Digest))
		if d.Previous != "" && d.Status != unchanged {
			row(w, "from → to", code(d.Previous)+" → "+code(d.Tag))
		}
		row(w, "revision", code(d.Revision))
		row(w, "by", inCell(d.Actor))
		row(w, "reason", inCell(d.Reason))
		if took := d.Duration.Round(time.Second); took > 0 {
			row(w, "took", took.String())
		}
		row(w, "why", inCell(d.Why))
		row(w, "next", code(d.Fix))
		row(w, "event", code(d.EventID))
		if d.Console != "" {
			row(w, "console", "[deployments]("+d.Console+")")
		}
		fmt.Fprintln(w)
	}
}

// row writes a row of a table, unless its value is "".
func row(w io.Writer, name, value string) {
	if value != "" {
		fmt.Fprintf(w, "| %s | %s |\n", name, value)
	}
}

// maxCell is how many characters of a text a cell of a table shows.
const maxCell = 500

// special are the characters that have a meaning in GitHub's Markdown, besides those of
// HTML: links and images, emphasis, tables, mentions and references.
const special = "\\`*_{}[]()#+-.!|~@:"

// inCell returns a text that others wrote as a cell of a Markdown table shows it: on one
// line, and with no markup, so that it is neither a link nor a mention.
func inCell(text string) string {
	var b strings.Builder
	for _, r := range outcome.Line(text, maxCell) {
		switch {
		case r == '@' || r == '#' || r == ':': // a backslash does not stop mentions, references and bare links
			fmt.Fprintf(&b, "&#%d;", r)
		case strings.ContainsRune(special, r):
			b.WriteString("\\" + string(r))
		default:
			b.WriteString(html.EscapeString(string(r)))
		}
	}
	return b.String()
}

// code returns a text as code in a cell; "" for "".
func code(text string) string {
	if text == "" {
		return ""
	}
	line := html.EscapeString(outcome.Line(text, maxCell))
	return "<code>" + strings.NewReplacer("|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;",
		"@", "&#64;", ":", "&#58;", "\\", "&#92;", "~", "&#126;").Replace(line) + "</code>"
}

// annotations writes an ::error:: command for every deployment that did not succeed, by
// which GitHub shows it at the top of the run. The runner reads commands from standard
// error too (actions/runner, StepHost and ActionCommandManager).
func annotations(w io.Writer, all []deployed) {
	// "Workflow commands for GitHub Actions": data has %, CR and LF escaped, properties also : and ,.
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, d := range all {
		if d.succeeded() {
			continue
		}
		text := outcome.Line(d.Why, maxCell)
		if d.Fix != "" {
			text += "\nnext: " + outcome.Line(d.Fix, maxCell)
		}
		title := fmt.Sprintf("%s was not deployed to %s", d.Service, d.Environment)
		fmt.Fprintf(w, "::error title=%s::%s\n", property.Replace(title), data.Replace(text))
	}
}
