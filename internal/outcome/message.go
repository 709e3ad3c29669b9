package outcome

import "strings"

// sentence says for people what became of the deployment.
func (o Outcome) sentence() string {
	what, n := o.Tag, number(o.Revision.After)
	switch {
	case what == "" && n == "":
		what = "a new image"
	case what == "":
		what = "revision " + n
	case n != "":
		what += " (revision " + n + ")"
	}
	where := o.Service + " of " + o.Project + " in " + o.Environment
	if o.Foreign {
		what += ", which somebody else deployed"
	}
	what, why := Line(what, 300), Line(o.Why(), 1000)
	switch o.Kind {
	case DeploymentStarted:
		return where + " is being moved to " + what
	case DeploymentSucceeded:
		return where + " runs " + what
	case DeploymentFailed:
		s := where + " does not run " + what + ": "
		if to := number(o.RolledBackTo.Revision); to != "" {
			return s + strings.TrimRight(why, ".") + "; ECS has rolled it back to revision " + to
		}
		return s + why
	case DeploymentSuperseded:
		return where + " does not get " + what + ": a newer deployment took its place"
	}
	if o.Service == "" {
		return "an event for " + o.Project + " in " + o.Environment + " was rejected: " + why
	}
	return where + " does not get " + what + ": " + why
}

// Title says in a few words, with a sign, what became of the deployment: what
// stands above a message to people. What others wrote in it is not escaped.
func (o Outcome) Title() string {
	what := o.Tag
	if what == "" {
		what = Short(o.Revision.After)
	}
	switch o.Kind {
	case DeploymentStarted:
		return "🚀 " + o.Environment + ": " + o.Service + " is being moved to " + what
	case DeploymentSucceeded:
		return "✅ " + o.Environment + ": " + o.Service + " runs " + what
	case DeploymentFailed:
		return "❌ " + o.Environment + ": " + o.Service + " does not run " + what
	case DeploymentSuperseded:
		return "⏩ " + o.Environment + ": " + o.Service + " does not get " + what + ", but a newer one"
	}
	if o.Service == "" {
		return "🚫 " + o.Environment + ": an event was rejected"
	}
	return "🚫 " + o.Environment + ": " + o.Service + " does not get " + what
}

// number returns the number of a revision by its ARN, "" if it has none.
func number(arn string) string {
	if !revisionARN.MatchString(arn) {
		return ""
	}
	return arn[strings.LastIndexByte(arn, ':')+1:]
}
