package notify

import (
	"strings"
	"time"

	"deployer/internal/outcome"
)

// Summary is an outcome as people read it. Channels only render it. Texts are
// as senders and AWS wrote them: a channel cuts them to its limits with
// [outcome.Line] and escapes them. Parts that are unknown are empty.
type Summary struct {
	Kind    outcome.Kind
	Title   string // an emoji and a few words: the heading of the message
	Message string // one sentence that says it all

	Project, Environment, Service string

	Rows   []Row  // facts, in the order in which to show them
	Why    Row    // why the deployment failed or was rejected, or what is wrong with it
	Tasks  Row    // why tasks stopped
	Reason Row    // why the deployment was asked for
	Undo   string // the command that rolls the deployment back
	Next   string // the command that continues a deployment that is paused
	Links  []Link // pages of the AWS console

	EventID   string   // the event that asked for the deployment
	Thread    string   // the same for all messages about one deployment
	Resources []string // ARNs of the ECS service and of the new revision
}

// Row is a fact with its label, such as "Tag" and "git-abc123f".
type Row struct{ Label, Value string }

// Link is a page of the AWS console.
type Link struct {
	Label, URL string
	Next       bool // the page to look at next, after an outcome of this kind
}

// Summarize returns the summary of an outcome.
func Summarize(o outcome.Outcome) Summary {
	s := Summary{
		Kind: o.Kind, Title: o.Title(), Message: o.Message,
		Project: o.Project, Environment: o.Environment, Service: o.Service,
		Rows: rows(o), Undo: o.Undo(), Next: o.Hook.Continue, Links: links(o),
		EventID: o.Cause.ID, Thread: o.Cause.ID,
	}
	switch o.Kind {
	case outcome.DeploymentFailed:
		s.Why = Row{"Why it failed", o.Why()}
	case outcome.DeploymentImpaired:
		s.Why = Row{"What is wrong", o.Why()}
	case outcome.FirstRunFailed:
		s.Why = Row{"Why it failed", o.Run.Text()}
	case outcome.DeploymentRejected:
		s.Why = Row{"Why it was rejected", o.Why()}
	}
	if len(o.StoppedTasks) > 0 {
		s.Tasks = Row{"Stopped tasks", strings.Join(o.StoppedTasks, "; ")}
	}
	if o.Cause.Reason != "" {
		s.Reason = Row{"Reason", o.Cause.Reason}
	}
	if s.Thread == "" {
		s.Thread = o.DeploymentID
	}
	for _, arn := range []string{o.ServiceARN, o.Revision.After} {
		if arn != "" {
			s.Resources = append(s.Resources, arn)
		}
	}
	return s
}

// rows returns the facts of an outcome that are known.
func rows(o outcome.Outcome) (known []Row) {
	took := ""
	if d, ok := o.Took(); ok && o.Ended() {
		took = d.Round(time.Second).String()
	}
	for _, r := range []Row{
		{"Project", o.Project},
		{"Environment", o.Environment},
		{"Service", o.Service},
		{"Tag", o.Tag},
		{"Image", change(o.Image)},
		{"Revision", change(o.Revision)},
		{"Next run", o.NextRun},
		{"Rolled back to", outcome.Short(o.RolledBackTo.Revision)},
		{"By", by(o)},
		{"Took", took},
		{"Stage", o.Hook.Stage},
		{"Paused until", pausedUntil(o)},
		{"Event", o.Cause.ID},
	} {
		if r.Value != "" {
			known = append(known, r)
		}
	}
	return known
}

// pausedUntil returns when a pause ends by itself and what ECS does then, as far as
// that is known; "" if the deployment is not paused.
func pausedUntil(o outcome.Outcome) string {
	if o.Kind != outcome.DeploymentPaused || o.Hook.Expires.IsZero() {
		return ""
	}
	until := o.Hook.Expires.Format(time.RFC3339)
	if o.Hook.Then != "" {
		until += ", then " + o.Hook.Then
	}
	return until
}

// by returns who asked for the deployment, as far as it is known.
func by(o outcome.Outcome) string {
	switch {
	case o.Foreign:
		return "another tool, not the deployer"
	case o.Actor == "" || o.Source == "":
		return o.Actor + o.Source
	}
	return o.Actor + " (" + o.Source + ")"
}

// change returns "before → after", or the latter alone if nothing ran before.
func change(c outcome.Change) string {
	if c.Before == "" || c.After == "" {
		return outcome.Short(c.After)
	}
	return outcome.Short(c.Before) + " → " + outcome.Short(c.After)
}

// links returns the pages of the AWS console about an outcome.
func links(o outcome.Outcome) (known []Link) {
	for _, l := range []Link{
		{"Service", o.Links.Service, false},
		{"Deployments", o.Links.Deployment, true},
		{"Task definition", o.Links.TaskDefinition, false},
		{"Logs", o.Links.Logs, o.Kind == outcome.DeploymentFailed || o.Kind == outcome.DeploymentImpaired},
	} {
		if l.URL != "" {
			known = append(known, l)
		}
	}
	return known
}
