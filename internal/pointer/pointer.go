// Package pointer reads and moves what starts a task: schedules of EventBridge Scheduler,
// and targets of EventBridge rules. Each holds the task definition that it starts. Moving
// it changes that one member: everything else is written as it was read, members that the
// SDK does not know included, because both UpdateSchedule and PutTargets reset what they
// are not sent. [environment.TaskPointer] is the name of such a pointer in the environment file; Pointer adds what
// AWS holds. An ECS service is an [environment.Pointer] too, and package ecsservice reads it.
package pointer

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/shell"
)

// Pointer is a schedule, or a target of a rule, as it was read.
type Pointer struct {
	environment.TaskPointer
	Target string // the id of the rule's target; "" for a schedule

	TaskDefinition string // an ARN or FAMILY:REVISION; without a revision it floats
	Cluster        string // the cluster's ARN
	Role           string // ARN of the role that starts the task
	Disabled       bool   // a schedule that never runs; of a rule it is not known

	Expression string // of a schedule, such as "cron(0 3 * * ? *)"
	Timezone   string // of the expression, such as "Europe/Zurich"
	// Starts and Ends are the StartDate and EndDate of a schedule, zero if it has none. AWS ignores them for at(…).
	Starts, Ends time.Time
	Window       time.Duration // how much later than due a run may start; whole minutes, of a schedule

	ARN           string          // of a schedule
	DeadLetters   string          // ARN of the queue for runs that could not be started; "" if there is none
	EcsParameters json.RawMessage // how the task is started, as AWS returns it
	Input         string          // what the task is started with: overrides as JSON; "" if nothing
	fromEvent     bool            // a target whose input is made from the event
	startsInPast  bool            // a schedule with a StartDate that is over, when it was read
	raw           json.RawMessage // as it came
}

// String returns the pointer as journals and messages name it: schedule/GROUP/NAME, or
// rule/NAME/TARGET.
func (p Pointer) String() string {
	if p.Target == "" {
		return p.TaskPointer.String()
	}
	return p.TaskPointer.String() + "/" + p.Target
}

// Look returns the command that shows what the pointer starts, and how.
func (p Pointer) Look() string {
	command := []string{"aws", "scheduler", "get-schedule", "--group-name", p.Group, "--name", p.Name}
	if p.Rule {
		command = []string{"aws", "events", "list-targets-by-rule", "--rule", p.Name}
		if p.Group != "" {
			command = append(command, "--event-bus-name", p.Group)
		}
	}
	if parts := strings.Split(p.Cluster, ":"); len(parts) > 3 { // arn:PARTITION:ecs:REGION:…
		command = append(command, "--region", parts[3])
	}
	return shell.Line(command...)
}

// PhaseInPast reports whether the pointer is a rate(…) that counts from a StartDate which is
// over: AWS may not take it back, and then the pointer cannot be moved.
func (p Pointer) PhaseInPast() bool {
	return p.startsInPast && strings.HasPrefix(p.Expression, "rate(")
}

// Floating reports whether the pointer names no revision: ECS starts the family's latest
// ACTIVE one (RunTask in the ECS API reference). Registering a revision moves it.
func (p Pointer) Floating() bool { return p.Revision() == 0 }

// FromEvent reports whether a rule's target makes what the task is started with from the
// event, by an InputPath or an InputTransformer.
func (p Pointer) FromEvent() bool { return p.fromEvent }

// Revision returns the number of the revision that the pointer names, 0 if it floats.
func (p Pointer) Revision() int {
	_, number, ok := strings.Cut(p.name(), ":")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return n
}

// names reports whether the task definition is that of a revision, or floats. ECS runs no other.
func (p Pointer) names() bool {
	_, number, pinned := strings.Cut(p.name(), ":")
	return !pinned || p.Revision() > 0 && strconv.Itoa(p.Revision()) == number
}

// with returns the task definition of a revision by its ARN, in the form of the pointer's own.
func (p Pointer) with(arn string) string {
	if p.TaskDefinition == p.name() {
		return arn[strings.LastIndex(arn, "/")+1:]
	}
	return arn
}

// Family returns the family of the task definition.
func (p Pointer) Family() string {
	family, _, _ := strings.Cut(p.name(), ":")
	return family
}

// name returns the task definition as FAMILY:REVISION, or FAMILY.
func (p Pointer) name() string {
	if _, name, ok := strings.Cut(p.TaskDefinition, ":task-definition/"); ok {
		return name
	}
	return p.TaskDefinition
}

// Owner is the task whose pointers are read.
type Owner struct {
	Task        string // the name in events
	File        string // the environment file, for hints
	Environment string // its name, for hints
	Cluster     string // the cluster's name
	Region      string
	Account     string   // the account of the cluster; "" if it is not known
	Family      string   // the task's family
	StartRoles  []string // ARNs of the roles that start tasks, as the file names them, for hints
}

// reading returns the operation of reading a pointer, for faults.
func (o Owner) reading(p environment.TaskPointer) string {
	return fmt.Sprintf("reading %s, which starts task %q", describe(p), o.Task)
}

// describe returns the pointer for people: schedule "NAME" in group "GROUP".
func describe(p environment.TaskPointer) string {
	switch {
	case !p.Rule:
		return fmt.Sprintf("schedule %q in group %q", p.Name, p.Group)
	case p.Group != "":
		return fmt.Sprintf("rule %q of event bus %q", p.Name, p.Group)
	}
	return fmt.Sprintf("rule %q", p.Name)
}

// setting returns the setting of the environment file that names the pointer.
func (o Owner) setting(p environment.TaskPointer) string {
	key := "schedule"
	if p.Rule {
		key = "rule"
	}
	return "deployer.workloads." + o.Task + "." + key + " in " + o.File
}

// notFound is the fault of a pointer that does not exist.
func (o Owner) notFound(p environment.TaskPointer) error {
	return fault.Misconfigured(fault.ErrPointerNotFound, o.reading(p), fmt.Errorf("%s does not exist", describe(p)),
		"create it with the infrastructure, or correct "+o.setting(p))
}

// unusable is the fault of a pointer that cannot be moved.
func (o Owner) unusable(p environment.TaskPointer, cause error, hint string) error {
	return fault.Misconfigured(fault.ErrPointerUnusable, o.reading(p), cause, hint)
}

// starts reports whether a pointer starts the owner's task in its cluster, and returns why
// it does not.
func (o Owner) starts(p Pointer) (bool, string) {
	switch {
	case !o.has(p.Cluster, "cluster/"+o.Cluster):
		return false, fmt.Sprintf("its target is %q, not cluster %q", p.Cluster, o.Cluster) + o.place(p.Cluster)
	case p.Family() != o.Family:
		return false, fmt.Sprintf("it starts family %q, not %q", p.Family(), o.Family)
	case !p.names():
		return false, fmt.Sprintf("it starts %q, which names no revision of family %q", p.TaskDefinition, o.Family)
	case p.TaskDefinition != p.name() && !o.has(p.TaskDefinition, "task-definition/"+p.name()):
		return false, fmt.Sprintf("it starts %q, not family %q", p.TaskDefinition, o.Family) + o.place(p.TaskDefinition)
	}
	return true, ""
}

// has reports whether an ARN is that of a resource of ECS in the owner's account and region.
func (o Owner) has(arn, resource string) bool {
	parts := strings.SplitN(arn, ":", 6) // arn:PARTITION:ecs:REGION:ACCOUNT:RESOURCE
	return len(parts) == 6 && parts[2] == "ecs" && parts[3] == o.Region && parts[5] == resource &&
		(parts[4] == o.Account || o.Account == "")
}

// place returns where the owner's task is, for people, if an ARN is elsewhere.
func (o Owner) place(arn string) string {
	switch parts := strings.SplitN(arn, ":", 6); {
	case len(parts) < 6:
		return ""
	case parts[3] != o.Region:
		return " in " + o.Region
	case parts[4] != o.Account && o.Account != "":
		return " of account " + o.Account
	}
	return ""
}

// check returns the fault of a schedule that starts another task.
func (o Owner) check(p Pointer) error {
	ok, why := o.starts(p)
	switch {
	case !ok && p.Family() == o.Family && !p.names():
		return o.unusable(p.TaskPointer, fmt.Errorf("%s", why), fmt.Sprintf("let it hold %s and the number of a "+
			"revision, such as %[1]s:1, or no number", o.Family))
	case !ok:
		return o.unusable(p.TaskPointer, fmt.Errorf("%s", why),
			"name the right one in "+o.setting(p.TaskPointer)+", or its family in deployer.workloads."+o.Task+".family")
	}
	return nil
}

// CheckTime returns the fault of a one-time schedule whose time is over: it must not be changed, for AWS may run it
// again then (user guide, "One-time schedules").
func (o Owner) CheckTime(p Pointer, now time.Time) error {
	if at, ok := oneTime(p.Expression, p.Timezone); !ok || at.After(now) {
		return nil
	}
	return fault.Misconfigured(fault.ErrPointerUnusable, fmt.Sprintf("moving %s, which starts task %q",
		describe(p.TaskPointer), o.Task), fmt.Errorf("it is a one-time schedule, and %s is over: AWS may run it again "+
		"when it is changed", p.Expression), "delete the schedule, or give it a time to come")
}
