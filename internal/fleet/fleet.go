// Package fleet reads what runs in the environments of a project: for each service the
// image, the state of its rollout and drift, and which environment is behind which. It
// calls AWS, and changes nothing.
package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/internal/failure"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// Fleet is what runs in several environments. It is plain data: JSON to programs, a
// table or a page to people.
type Fleet struct {
	Environments []Environment `json:"environments"` // in the order in which they were asked for
	Gaps         []Gap         `json:"behind"`       // by service, then in the order of the environments; never null
}

// Environment is what runs in one environment. With an Error, it could not be read: the
// rest is what its file says.
type Environment struct {
	Name       string    `json:"environment"`
	File       string    `json:"file,omitempty"`
	Project    string    `json:"project,omitempty"`
	Account    string    `json:"account,omitempty"`
	Region     string    `json:"region,omitempty"`
	Production bool      `json:"production,omitempty"`
	Cluster    string    `json:"cluster"`
	Services   []Service `json:"services"`
	Error      *Error    `json:"error,omitempty"`

	ByName bool `json:"-"` // commands name the environment, not its file

	err error
}

// Service is the status of one service. With an Error, all else but the names is empty.
type Service struct {
	Name       string            `json:"service"` // as events name it
	ECSService string            `json:"ecs_service"`
	Condition  rollout.Condition `json:"condition,omitempty"`
	Since      time.Time         `json:"since,omitzero"` // when the rollout of what it runs began
	Running    *journal.Record   `json:"running,omitempty"`
	Rollout    *Rollout          `json:"rollout,omitempty"`
	Troubled   int               `json:"troubled_revision,omitempty"` // whose rollout failed or is impaired
	Why        string            `json:"why,omitempty"`               // of that revision
	Stopped    string            `json:"stopped_tasks,omitempty"`     // why tasks of that rollout stopped
	Drift      *Drift            `json:"drift,omitempty"`
	Pointers   []string          `json:"pointers,omitempty"` // of a task: the schedules and rules that start it
	NextRun    string            `json:"next_run,omitempty"` // of a task, for people: "due at 2026-01-23T03:00:00Z"
	DueAt      time.Time         `json:"due_at,omitzero"`    // of a task: when it runs next, if that is known
	Disabled   bool              `json:"disabled,omitempty"` // of a task: its schedules are DISABLED
	Over       bool              `json:"over,omitempty"`     // of a task: its schedules never run again
	Error      *Error            `json:"error,omitempty"`

	Failure *failure.Report `json:"failure,omitempty"` // what that rollout left behind; only [Reader.Explain] reads it
}

// Rollout is the progress of the rollout of what runs.
type Rollout struct {
	DeploymentID string    `json:"deployment_id,omitempty"`
	Reason       string    `json:"reason,omitempty"` // ECS's own text
	Desired      int       `json:"desired"`
	Running      int       `json:"running"`
	Pending      int       `json:"pending"`
	Failed       int       `json:"failed"`
	Stage        string    `json:"stage,omitempty"`       // the lifecycle stage, such as "BAKE_TIME"
	PausedUntil  time.Time `json:"paused_until,omitzero"` // when a pause ends by itself
	Then         string    `json:"then,omitempty"`        // what ECS does then: "CONTINUE" or "ROLLBACK"
}

// Error is why something is not known.
type Error struct {
	Name    string `json:"name"` // as in the function's errors, such as "ServiceNotFound"
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do
}

// String returns the error on one line.
func (e *Error) String() string {
	if e.Hint != "" {
		return e.Message + " (" + e.Hint + ")"
	}
	return e.Message
}

// ErrorOf returns an error as plain data: what is wrong, and what to do.
func ErrorOf(err error) *Error {
	e := &Error{Name: fault.NameOf(err), Message: err.Error()}
	var parts interface {
		Parts() (what, hint string)
		Unwrap() error
	}
	if errors.As(err, &parts) {
		_, e.Hint = parts.Parts()
		e.Message = parts.Unwrap().Error()
	}
	e.Message = strings.ReplaceAll(e.Message, "\n", "; ")
	return e
}

// Failed reports whether the service's last rollout failed.
func (s Service) Failed() bool {
	return slices.Contains([]rollout.Condition{rollout.RollingBack, rollout.RolledBack, rollout.Failed}, s.Condition)
}

// Healthy reports whether every service could be read and no rollout failed.
func (e Environment) Healthy() bool {
	return e.Error == nil && !slices.ContainsFunc(e.Services, func(s Service) bool {
		return s.Error != nil || s.Failed()
	})
}

// Find returns the environment's service with a name, nil if it has none.
func (e Environment) Find(name string) *Service {
	for i := range e.Services {
		if e.Services[i].Name == name {
			return &e.Services[i]
		}
	}
	return nil
}

// Healthy reports whether every environment is.
func (f *Fleet) Healthy() bool {
	return !slices.ContainsFunc(f.Environments, func(e Environment) bool { return !e.Healthy() })
}

// Names returns the names of the services of all environments, each once, in the order of
// the first environment that has it.
func (f *Fleet) Names() (names []string) {
	for _, e := range f.Environments {
		for _, s := range e.Services {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// Gap is a service that runs another image in one environment than in the one before it.
type Gap struct {
	Service     string `json:"service"`
	Environment string `json:"environment"`
	Of          string `json:"of"`               // the environment before it, with which it is compared
	Images      int    `json:"images,omitempty"` // how many images it is behind; negative if ahead; 0 if not known
	Reason      string `json:"reason,omitempty"` // why it is not known
}

// String says the gap: "prod is 3 images behind staging".
func (g Gap) String() string {
	switch n := g.Images; {
	case n == 0:
		return fmt.Sprintf("%s runs another image than %s (%s)", g.Environment, g.Of, g.Reason)
	case n < 0:
		return fmt.Sprintf("%s is %s ahead of %s", g.Environment, images(-n), g.Of)
	default:
		return fmt.Sprintf("%s is %s behind %s", g.Environment, images(n), g.Of)
	}
}

func images(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}
