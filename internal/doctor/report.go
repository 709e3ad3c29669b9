package doctor

import (
	"fmt"
	"regexp"
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
// with the names of all of them. What is unknown of several services in the same way, with
// names of their own, is there for the first: "backend (likewise web-api, worker)".
func (r *Report) Of(level Level) (all []Finding) {
	likewise := map[int][]string{} // by the index in all
	for _, f := range r.Findings {
		if f.Level != level {
			continue
		}
		same := func(one Finding) bool { return one.Check == f.Check && one.Seen == f.Seen && one.Fix == f.Fix }
		like := func(one Finding) bool {
			return level == Unknown && one.Check == f.Check && one.Service != "" && f.Service != "" &&
				alike(one.Seen, f.Seen) && alike(one.Fix, f.Fix)
		}
		if i := slices.IndexFunc(all, same); i >= 0 && all[i].Service != "" && f.Service != "" {
			all[i].Service += ", " + f.Service
		} else if i >= 0 {
			all[i].Service = "" // the environment's covers those of its services
		} else if i := slices.IndexFunc(all, like); i >= 0 {
			likewise[i] = append(likewise[i], f.Service)
		} else {
			all = append(all, f)
		}
	}
	for i, services := range likewise {
		all[i].Service += " (likewise " + strings.Join(services, ", ") + ")"
	}
	return all
}

// iamAction is an IAM action, such as "ecr:BatchGetImage".
var iamAction = regexp.MustCompile(`[a-z]:[A-Z]`)

// alike reports whether two texts differ only in names of AWS resources.
func alike(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		isName := strings.ContainsAny(x[i], "_/") && strings.ContainsAny(y[i], "_/")
		if x[i] != y[i] && (!isName || iamAction.MatchString(x[i])) {
			return false
		}
	}
	return true
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
