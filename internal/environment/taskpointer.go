package environment

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"deployer/internal/image"
)

// TaskPointer is what starts a task, and holds the revision that it starts: a schedule of
// EventBridge Scheduler, or a rule of EventBridge, whose targets hold it. A deployment of
// the task moves its pointers.
type TaskPointer struct {
	Rule  bool   // a rule; false for a schedule
	Group string // the schedule's group; of a rule the event bus, "" for the default one
	Name  string
}

// String returns the pointer as journals and messages name it: schedule/GROUP/NAME,
// rule/NAME, or rule/BUS/NAME.
func (p TaskPointer) String() string {
	kind := "schedule/"
	if p.Rule {
		kind = "rule/"
	}
	if p.Group == "" {
		return kind + p.Name
	}
	return kind + p.Group + "/" + p.Name
}

// ARN returns the pointer's ARN in e, which must know its account.
func (p TaskPointer) ARN(e *Environment) string {
	service := ":scheduler:"
	if p.Rule {
		service = ":events:"
	}
	return "arn:" + image.PartitionOf(e.Region).Name + service + e.Region + ":" + e.AccountID + ":" + p.String()
}

// TaskPointers are pointers as [TaskPointer.String] writes them, separated by commas, which
// no name contains. It is not a slice, so that workloads can be compared.
type TaskPointers string

// All returns the pointers, none for the zero value.
func (p TaskPointers) All() (all []TaskPointer) {
	if p == "" {
		return nil
	}
	for one := range strings.SplitSeq(string(p), ",") {
		kind, name, _ := strings.Cut(one, "/")
		pointer := TaskPointer{Rule: kind == "rule", Name: name}
		if group, name, ok := strings.Cut(name, "/"); ok {
			pointer.Group, pointer.Name = group, name
		}
		all = append(all, pointer)
	}
	return all
}

// pointersOf returns pointers that are listed once each.
func pointersOf(all []TaskPointer) TaskPointers {
	var names []string
	for _, p := range all {
		if name := p.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return TaskPointers(strings.Join(names, ","))
}

// validPointerName reports whether s can be the name of a schedule, of its group, or of a
// rule. See "CreateSchedule" and "PutRule" in their API references.
func validPointerName(s string) bool { return only(s, upper+lower+digits+"-_.") && len(s) <= 64 }

// taskPointers returns the conventional pointers of a task, which the item of a list
// describes. A name that is too long for AWS is left out: it is not what the
// infrastructure made.
func (s section) taskPointers(e *Environment, kind Kind, name string) TaskPointers {
	if kind == ScheduledTask {
		p := TaskPointer{Group: e.Project + "-schedule-group-" + e.Name + "-" + name,
			Name: e.Project + "-scheduler-" + name + "-" + e.Name}
		if !validPointerName(p.Group) || !validPointerName(p.Name) {
			return ""
		}
		return pointersOf([]TaskPointer{p})
	}
	var rules []string
	check := func(place section, key string) string {
		rule := place.text(key)
		if rule != "" && !only(rule, upper+lower+digits+"-_.") {
			place.fault(key, "is "+quote(rule)+", which cannot be part of a rule's name",
				"write letters, digits, ., - and _, like "+name)
		}
		return rule
	}
	if items, ok := s.list("rules"); ok && s.values["rules"].Kind == yaml.SequenceNode { // since schema version 13
		for i, item := range items {
			rule := s.reader.section(item, s.path+"rules["+strconv.Itoa(i)+"].", "name", "sources", "detail_types")
			rules = append(rules, check(rule, "name"))
		}
	}
	if len(rules) == 0 {
		rules = []string{cmp.Or(check(s, "rule_name"), name)}
	}
	var all []TaskPointer
	for _, rule := range rules {
		p := TaskPointer{Rule: true, Name: e.Project + "_rule_" + rule + "_" + e.Name}
		if rule != "" && validPointerName(p.Name) {
			all = append(all, p)
		}
	}
	return pointersOf(all)
}

// adviseOnPointers warns about a task without pointers, which cannot be deployed.
func (s section) adviseOnPointers(w Workload) {
	if w.Pointers != "" || w.Disabled != "" || w.External != "" {
		return
	}
	what, example := "schedule", "GROUP/NAME"
	if w.Kind == EventTask {
		what, example = "rule", "NAME"
	}
	s.adviseOn("workloads", fmt.Sprintf("names no %s for %q, and its conventional name is longer than the 64 "+
		"characters that AWS accepts: no event can deploy the task", what, w.Name),
		fmt.Sprintf("write the %s's name there: %s: {%s: %s}", what, w.Name, what, example))
}

// overridePointers replaces a task's pointers by those of its keys `schedule` and `rule`.
func (s section) overridePointers(e *Environment, w *Workload) {
	var all []TaskPointer
	for _, key := range []string{"schedule", "rule"} {
		for _, text := range s.oneOrMore(key) {
			if p, ok := s.taskPointer(e, key, text); ok {
				all = append(all, p)
			}
		}
	}
	if len(all) > 0 {
		w.Pointers = pointersOf(all)
	}
}

// taskPointer reads the name or the ARN of a schedule or a rule. It returns false after
// adding a fault.
func (s section) taskPointer(e *Environment, key, text string) (p TaskPointer, ok bool) {
	p.Rule = key == "rule"
	service, example := "scheduler", "GROUP/NAME"
	if p.Rule {
		service, example = "events", "NAME, or BUS/NAME if its event bus is not the default one"
	}
	name := text
	if fields := strings.SplitN(text, ":", 6); fields[0] == "arn" {
		rest, isOne := strings.CutPrefix(fields[len(fields)-1], key+"/")
		if len(fields) < 6 || fields[2] != service || !isOne {
			s.fault(key, "is "+quote(text)+", which is not the ARN of a "+key, "write "+example)
			return p, false
		}
		if own := image.PartitionOf(e.Region).Name; fields[1] != own {
			s.fault(key, "is in the partition "+quote(fields[1])+", and the environment in "+own,
				"name one of the environment's own")
			return p, false
		}
		if fields[3] != e.Region || e.AccountID != "" && fields[4] != e.AccountID {
			s.fault(key, fmt.Sprintf("is in account %s and region %s, and the environment in %s and %s", fields[4],
				fields[3], cmp.Or(e.AccountID, "its own"), e.Region), "name one of the environment's own")
			return p, false
		}
		name = rest
	}
	group, last, two := strings.Cut(name, "/")
	p.Name = name
	if two {
		p.Group, p.Name = group, last
	}
	if p.Rule && p.Group == "default" {
		p.Group = ""
	}
	if !validPointerName(p.Name) || two && !validPointerName(group) || !p.Rule && !two {
		s.fault(key, "is "+quote(text)+", which does not name a "+key, "write "+example)
		return p, false
	}
	return p, true
}
