package sns

import (
	"strings"
	"time"

	"deployer/internal/outcome"
)

// custom is a custom notification of Amazon Q Developer in chat applications,
// which drops without a word whatever is not of this form. See "Custom
// notifications" in its administrator guide.
type custom struct {
	Version  string   `json:"version"` // 1.0
	Source   string   `json:"source"`  // custom
	Content  content  `json:"content"`
	Metadata metadata `json:"metadata"`
}

type content struct {
	TextType    string   `json:"textType"` // client-markdown: that of the chat which shows it
	Title       string   `json:"title"`
	Description string   `json:"description"`
	NextSteps   []string `json:"nextSteps,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

type metadata struct {
	ThreadID          string            `json:"threadId,omitempty"` // start and end of one event in one thread
	Summary           string            `json:"summary"`
	EventType         string            `json:"eventType"`
	RelatedResources  []string          `json:"relatedResources,omitempty"`
	AdditionalContext map[string]string `json:"additionalContext,omitempty"`
}

// The most characters of a title, of a name and of a text.
const (
	mostTitle = 140
	mostName  = 300
	mostText  = 1500
)

// notification words an outcome for Amazon Q.
func notification(o outcome.Outcome) custom {
	return custom{"1.0", "custom", content{
		TextType:    "client-markdown",
		Title:       escape(outcome.Line(o.Title(), mostTitle)),
		Description: description(o),
		NextSteps:   nextSteps(o),
		Keywords:    present(o.Project, o.Environment, o.Service),
	}, metadata{
		ThreadID:          thread(o),
		Summary:           escape(outcome.Line(o.Message, mostName)),
		EventType:         string(o.Kind),
		RelatedResources:  present(o.ServiceARN, o.Revision.After),
		AdditionalContext: map[string]string{"project": o.Project, "environment": o.Environment},
	}}
}

// description has a line for each thing that is known; what others wrote is
// code, in which no chat sees a command.
func description(o outcome.Outcome) string {
	by, took, failed, rejected := o.Cause.Actor, "", "", ""
	if o.Foreign {
		by = "somebody else, not the deployer"
	} else if by == "" {
		by = o.Cause.Source
	}
	if d, known := o.Took(); known && o.Ended() {
		took = d.Round(time.Second).String()
	}
	switch o.Kind {
	case outcome.DeploymentFailed:
		failed = o.Why()
	case outcome.DeploymentRejected:
		rejected = o.Why()
	}
	var lines []string
	for _, f := range []struct{ label, value string }{
		{"Project", o.Project}, {"Environment", o.Environment}, {"Service", o.Service}, {"Tag", o.Tag},
		{"Image", change(o.Image)}, {"Revision", change(o.Revision)}, {"Rolled back to", outcome.Short(o.RolledBackTo.Revision)},
		{"By", by}, {"Took", took}, {"Why it failed", failed}, {"Why it was rejected", rejected}, {"Asked for because", o.Cause.Reason}, {"Event", o.Cause.ID},
	} {
		if f.value != "" {
			lines = append(lines, f.label+": "+code(f.value))
		}
	}
	return strings.Join(lines, "\n")
}

func change(c outcome.Change) string {
	if c.Before == "" || c.After == "" {
		return outcome.Short(c.After)
	}
	return outcome.Short(c.Before) + " → " + outcome.Short(c.After)
}

func nextSteps(o outcome.Outcome) (steps []string) {
	if undo := o.Undo(); undo != "" {
		steps = append(steps, "Roll back: "+code(undo))
	}
	if o.Links.Deployment != "" {
		steps = append(steps, "See the deployment: "+o.Links.Deployment)
	}
	if o.Kind == outcome.DeploymentFailed && o.Links.Logs != "" {
		steps = append(steps, "See the logs: "+o.Links.Logs)
	}
	return steps
}

// thread returns what the messages of one event have in common.
func thread(o outcome.Outcome) string {
	if o.Cause.ID != "" {
		return escape(outcome.Line(o.Cause.ID, mostName))
	}
	return o.DeploymentID
}

// present returns the names that are not empty.
func present(names ...string) (some []string) {
	for _, s := range names {
		if s != "" {
			some = append(some, escape(outcome.Line(s, mostName)))
		}
	}
	return some
}

// escape keeps a text that is not code from being a mention, a link or bold.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "", "~", "", "`", "'", "[", "(", "]", ")").Replace(s)
}

// code returns a text as code.
func code(s string) string {
	s = strings.ReplaceAll(outcome.Line(s, mostText), "`", "'")
	return "`" + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s) + "`"
}
