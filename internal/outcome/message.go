package outcome

import "strings"

// The maximum numbers of characters of a version, of a reason, and of the reason of
// stopped tasks in a sentence.
const (
	maxSentenceVersion = 300
	maxSentenceWhy     = 1000
	maxSentenceStopped = 500
)

// sentence returns the outcome as one sentence for people.
func (o Outcome) sentence() string {
	service := o.Service + " of " + o.Project + " in " + o.Environment
	version, why := Line(o.version(), maxSentenceVersion), Line(o.Why(), maxSentenceWhy)
	deployment := "deployment to " + service
	if version != "" { // of a rollback that was rejected, it is not known
		deployment = "deployment of " + version + " to " + service
	}
	switch o.Kind {
	case DeploymentStarted:
		return deployment + " started"
	case DeploymentSucceeded:
		if o.NextRun != "" {
			return "the next run of " + service + " uses " + version + ", " + Line(o.NextRun, maxSentenceVersion)
		}
		return service + " runs " + version
	case DeploymentFailed:
		if stopped := o.stopped(); stopped != "" {
			why = strings.TrimRight(why, ".") + stopped
		}
		if to := number(o.RolledBackTo.Revision); to != "" {
			why = strings.TrimRight(why, ".") + "; ECS rolled back to revision " + to
		}
		return deployment + " failed: " + why
	case DeploymentImpaired:
		return deployment + " is impaired: " + why + o.stopped()
	case DeploymentPaused:
		return deployment + " is paused" + at(o.Hook.Stage) + o.Hook.wait() + "; continue it with: " + o.Hook.Continue
	case DeploymentSuperseded:
		return deployment + " was superseded by a newer one"
	case FirstRunSucceeded:
		return "the first run of " + service + " with " + version + " succeeded: " + o.Run.Text()
	case FirstRunFailed:
		return "the first run of " + service + " with " + version + " failed: " + o.Run.Text()
	}
	if o.Service == "" {
		return "an event for " + o.Project + " in " + o.Environment + " was rejected: " + why
	}
	return deployment + " was rejected: " + why
}

// stopped returns the first reason of stopped tasks for a sentence, "" if none is
// known.
func (o Outcome) stopped() string {
	if len(o.StoppedTasks) == 0 {
		return ""
	}
	return "; stopped tasks: " + Line(o.StoppedTasks[0], maxSentenceStopped)
}

// at returns " at STAGE", "" if the stage is not known.
func at(stage string) string {
	if stage == "" {
		return ""
	}
	return " at " + Line(stage, maxSentenceVersion)
}

// version returns what was deployed: the tag and the number of the revision, as
// far as they are known; "" if neither is.
func (o Outcome) version() string {
	version := o.Tag
	var details []string
	n := number(o.Revision.After)
	if n != "" && version == "" {
		version = "revision " + n
	} else if n != "" {
		details = append(details, "revision "+n)
	}
	if o.Foreign {
		details = append(details, "external deployment")
	}
	if len(details) > 0 {
		version += " (" + strings.Join(details, ", ") + ")"
	}
	return version
}

// Title returns a sign and a few words, to stand above a message to people. The
// names that senders wrote in it are not escaped.
func (o Outcome) Title() string {
	version := o.Tag
	if version == "" {
		version = Short(o.Revision.After)
	}
	deployment := o.Environment + ": deployment to " + o.Service
	if version != "" {
		deployment = o.Environment + ": deployment of " + version + " to " + o.Service
	}
	switch o.Kind {
	case DeploymentStarted:
		return "🚀 " + deployment + " started"
	case DeploymentSucceeded:
		verb := " runs "
		if o.NextRun != "" {
			verb = " runs next "
		}
		return "✅ " + o.Environment + ": " + o.Service + verb + version
	case DeploymentFailed:
		return "❌ " + deployment + " failed"
	case DeploymentSuperseded:
		return "⏩ " + deployment + " was superseded"
	case FirstRunSucceeded:
		return "✅ " + o.Environment + ": the first run of " + o.Service + " with " + version + " succeeded"
	case FirstRunFailed:
		return "❌ " + o.Environment + ": the first run of " + o.Service + " with " + version + " failed"
	case DeploymentImpaired:
		return "⚠️ " + deployment + " is impaired"
	case DeploymentPaused:
		return "⏸️ " + deployment + " is paused"
	}
	if o.Service == "" {
		return "🚫 " + o.Environment + ": an event was rejected"
	}
	return "🚫 " + deployment + " was rejected"
}

// number returns the number of a revision, given its ARN; "" if it is not one.
func number(arn string) string {
	if !forms().revision.MatchString(arn) {
		return ""
	}
	return arn[strings.LastIndexByte(arn, ':')+1:]
}
