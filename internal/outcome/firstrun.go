package outcome

import "strings"

// Run is how a run of a task ended.
type Run struct {
	Task       string `json:"task,omitempty"`       // ARN of the ECS task
	ExitCode   *int   `json:"exit_code,omitempty"`  // of the container that runs the image; nil if it never ran
	StopCode   string `json:"stop_code,omitempty"`  // of ECS
	Reason     string `json:"reason,omitempty"`     // of ECS
	Containers string `json:"containers,omitempty"` // what all containers exited with, for people
	Succeeded  bool   `json:"-"`
}

// IsZero reports whether there is no run.
func (r Run) IsZero() bool { return r == Run{} }

// Text returns how the run ended, for people.
func (r Run) Text() string {
	var parts []string
	for _, part := range []string{r.StopCode, r.Reason, r.Containers} {
		if part != "" {
			parts = append(parts, Line(part, maxSentenceWhy))
		}
	}
	return strings.Join(parts, "; ")
}

// FirstRun returns the outcome of the first run of a task's revision. It requires the
// service, the revision, and the run.
func FirstRun(o Outcome) (Outcome, error) {
	kind := FirstRunFailed
	if o.Run.Succeeded {
		kind = FirstRunSucceeded
	}
	return o.complete(kind, required{"service", o.Service}, o.requiredEvent(),
		required{"revision.after", o.Revision.After}, required{"run.task", o.Run.Task})
}
