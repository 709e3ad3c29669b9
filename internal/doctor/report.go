package doctor

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// Level is the result of a check.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works now, but may fail later
	Problem Level = "problem" // deployments fail, or access is open to everyone
	Unknown Level = "unknown" // it could not be checked
)

// Finding is the result of one check.
type Finding struct {
	Check   string `json:"check"`             // the name of the check, such as "circuit breaker"
	Service string `json:"service,omitempty"` // the service or task by its name in events; "" for the environment
	Level   Level  `json:"level"`
	Seen    string `json:"seen"`
	Fix     string `json:"fix,omitempty"` // what to do; "" if there is nothing to do
}

// Report is the findings in an environment.
type Report struct {
	File        string    `json:"file"`
	Environment string    `json:"environment"`
	AccountID   string    `json:"account_id"`
	Findings    []Finding `json:"findings"`
}

// InvalidFile returns the report for an environment file with faults. Nothing
// else is checked then.
func InvalidFile(file string, faults environment.Faults) *Report {
	f := &findings{}
	for _, fault := range faults {
		level := Problem
		if fault.Warning {
			level = Warning
		}
		f.add("file", level, fault.String(), "")
	}
	return &Report{File: file, Findings: f.list}
}

// Count returns the number of findings of a level.
func (r *Report) Count(level Level) (n int) {
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// Of returns the findings of a level for people: one that several services share is there once,
// with the names of all of them.
func (r *Report) Of(level Level) (all []Finding) {
	for _, f := range r.Findings {
		if f.Level != level {
			continue
		}
		i := slices.IndexFunc(all, func(one Finding) bool {
			return one.Check == f.Check && one.Seen == f.Seen && one.Fix == f.Fix
		})
		switch {
		case i < 0:
			all = append(all, f)
		case all[i].Service != "" && f.Service != "":
			all[i].Service += ", " + f.Service
		default:
			all[i].Service = "" // the environment's covers those of its services
		}
	}
	return all
}

// Text returns what was seen in which check, without the name of the check if what was seen
// begins with it.
func (f Finding) Text() string {
	if strings.HasPrefix(f.Seen, f.Check+" ") {
		return f.Seen
	}
	return f.Check + ": " + f.Seen
}

// findings collects the findings about one service or task, or the environment.
type findings struct {
	service string
	list    []Finding
}

func (f *findings) add(check string, level Level, seen, fix string) {
	f.list = append(f.list, Finding{check, f.service, level, seen, fix})
}

func (f *findings) ok(check, format string, args ...any) {
	f.add(check, OK, fmt.Sprintf(format, args...), "")
}
