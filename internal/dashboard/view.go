package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"deployer/internal/doctor"
	"deployer/internal/environment"
	"deployer/internal/fleet"
	"deployer/internal/image"
	"deployer/internal/journal"
	"deployer/internal/outcome"
	"deployer/internal/rollout"
	"deployer/internal/shell"
)

// page is what the template "page" shows. Its texts come from AWS and from events: the
// templates escape all of them.
type page struct {
	Project   string
	Static    bool // without a server behind it
	Style     template.CSS
	Script    template.JS
	Policy    string // the content security policy of a static page
	Board     board
	Reports   []report
	Histories []*history
}

// board is the table of services and environments, and what is going on.
type board struct {
	Project      string
	At           time.Time // when it was read
	Environments []fleet.Environment
	Rows         []row
	Behind       []string
	Live         []live
	Read         bool // false before the first answer
}

type row struct {
	Service string
	Cells   []tile
}

// tile is one service or task in one environment.
type tile struct {
	ID, Text, State, Drift, Gap string // State is the rollout's condition, or "error"
	Since                       time.Time
	Next                        string    // of a task: when it runs next; "" if Due says it
	Due                         time.Time // of a task: when it runs next; zero if that is not known
}

// live is a rollout that is going on, or whose end people should see.
type live struct {
	Environment, Service, State, Text, Why string
	Running, Desired                       int
	Commands                               []string
}

// boardOf returns the board of a fleet that was read at some time.
func boardOf(f *fleet.Fleet, at time.Time) board {
	b := board{At: at, Environments: f.Environments, Read: true}
	for _, e := range f.Environments {
		b.Project = cmp.Or(b.Project, e.Project)
		for _, s := range e.Services {
			if s.Error == nil && s.Condition != rollout.Steady {
				b.Live = append(b.Live, liveOf(e, s))
			}
		}
	}
	for _, name := range f.Names() {
		r := row{Service: name}
		for _, e := range f.Environments {
			r.Cells = append(r.Cells, tileOf(f, e, e.Find(name)))
		}
		b.Rows = append(b.Rows, r)
	}
	for _, g := range f.Gaps {
		b.Behind = append(b.Behind, g.Service+": "+g.String())
	}
	return b
}

func tileOf(f *fleet.Fleet, e fleet.Environment, s *fleet.Service) tile {
	switch {
	case e.Error != nil:
		return tile{Text: "not read", State: "unknown"}
	case s == nil:
		return tile{}
	case s.Error != nil:
		return tile{ID: anchor(e.Name, s.Name), Text: s.Error.Message, State: "error"}
	}
	t := tile{ID: anchor(e.Name, s.Name), State: string(s.Condition), Since: s.Since,
		Text: cmp.Or(s.Running.Tag, fmt.Sprintf("revision %d", s.Running.Revision)), Due: s.DueAt}
	if s.DueAt.IsZero() {
		t.Next = s.NextRun
	}
	if lines, uncertain := s.Drift.Lines(); len(lines) > 0 && !uncertain {
		t.Drift = strings.Join(lines, "; ")
	}
	for _, g := range f.Gaps {
		if g.Service == s.Name && g.Environment == e.Name {
			t.Gap = g.String()
		}
	}
	return t
}

func liveOf(e fleet.Environment, s fleet.Service) live {
	l := live{Environment: e.Name, Service: s.Name, State: string(s.Condition),
		Text: cmp.Or(s.Running.Tag, fmt.Sprintf("revision %d", s.Running.Revision)),
		Why:  s.Stopped}
	if s.Why != "" {
		l.Why = strings.TrimSuffix(strings.TrimSuffix(s.Why, ".")+"; "+s.Stopped, "; ")
	}
	if r := s.Rollout; r != nil {
		l.Running, l.Desired = r.Running, r.Desired
		if r.Stage != "" {
			l.Text += " at " + r.Stage
		}
	}
	if s.Condition == rollout.Paused {
		l.Commands = append(l.Commands, command("continue", e, s.Name))
	}
	if s.Condition != rollout.RollingBack && s.Condition != rollout.RolledBack {
		l.Commands = append(l.Commands, command("rollback", e, s.Name))
	}
	return l
}

// command returns a command of the command line about a service.
func command(name string, e fleet.Environment, service string) string {
	return environment.CommandFor(e.ByName || e.File == "", e.Name, e.File, name, service)
}

// nameOf returns how promote names an environment.
func nameOf(e fleet.Environment) string {
	if e.ByName {
		return e.Name
	}
	return e.File
}

// anchor returns the id of a service's history on the page.
func anchor(environment, service string) string { return "history-" + environment + "-" + service }

// report is what the doctor found in one environment, without what is as it should be.
type report struct {
	Environment, Error string
	Findings           []doctor.Finding
	Checks             int // how many were made
}

func readReport(ctx context.Context, source Source, e fleet.Environment) report {
	r := report{Environment: e.Name}
	if e.Error != nil {
		r.Error = e.Error.String()
		return r
	}
	found, err := source.Doctor(ctx, e.Name)
	if err != nil {
		r.Error = fleet.ErrorOf(err).String()
		return r
	}
	r.Checks = len(found.Findings)
	order := []doctor.Level{doctor.Problem, doctor.Warning, doctor.Unknown}
	for _, level := range order {
		r.Findings = append(r.Findings, found.Of(level)...)
	}
	return r
}

// history is the deployments of a service in an environment, newest first.
type history struct {
	Environment, Service, Error string
	Entries                     []entry
	Links                       outcome.Links
	Commands                    []string
}

// ID returns the id of the history's part of the page.
func (h *history) ID() string { return anchor(h.Environment, h.Service) }

// serviceARN returns the ARN of a service's ECS service.
func serviceARN(e fleet.Environment, s fleet.Service) string {
	return "arn:" + image.PartitionOf(e.Region).Name + ":ecs:" + e.Region + ":" + e.Account + ":service/" + e.Cluster +
		"/" + s.ECSService
}

// entry is one revision of a history.
type entry struct {
	journal.Record
	Runs  bool
	By    string
	Links outcome.Links
}

// read reads the history of a service that the fleet has.
func (h *history) read(ctx context.Context, source Source, f *fleet.Fleet) {
	i := slices.IndexFunc(f.Environments, func(e fleet.Environment) bool { return e.Name == h.Environment })
	if i < 0 || f.Environments[i].Find(h.Service) == nil {
		h.Error = "there is no such service"
		return
	}
	e, s := f.Environments[i], f.Environments[i].Find(h.Service)
	found, err := source.History(ctx, h.Environment, h.Service)
	if err != nil {
		h.Error = fleet.ErrorOf(err).String()
		return
	}
	if s.ECSService != "" { // a task has no page
		h.Links = outcome.LinksOf(serviceARN(e, *s), "")
	}
	for _, r := range found.Records {
		one := entry{Record: r, Runs: r.TaskDefinition == found.Runs, By: r.By(),
			Links: outcome.LinksOf("", r.TaskDefinition)}
		if r.Foreign {
			one.By = "another tool"
		}
		h.Entries = append(h.Entries, one)
	}
	h.Commands = append(h.Commands, command("history", e, h.Service), command("rollback", e, h.Service))
	for _, g := range f.Gaps {
		if g.Service != h.Service || g.Environment != e.Name || g.Images <= 0 {
			continue
		}
		j := slices.IndexFunc(f.Environments, func(one fleet.Environment) bool { return one.Name == g.Of })
		if of := f.Environments[j].Find(h.Service); of.Running.Tag != "" {
			h.Commands = append(h.Commands, shell.Command("promote", "--from", nameOf(f.Environments[j]), "--to",
				nameOf(e), h.Service, of.Running.Tag, "--deploy"))
		}
	}
}
