package cli

import (
	"context"
	"slices"
	"strings"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/journal"
	"deployer/internal/logs"
)

// eventRevision is a revision that was registered for an event, and how its rollout ended.
type eventRevision struct {
	Service string `json:"service"`
	journal.Record
	listed bool // its phase is what ECS and the journal say now: "" if both do not say it
}

// eventRevisions reads the revisions that were registered for an event. The function's log names those that it moved
// a service to. Those that only record the event, and those of a redrive, it does not name: they are looked for among
// the newest of the family. What cannot be read is noted.
func (a *app) eventRevisions(ctx context.Context, s *session, id string, report eventReport) (all []eventRevision) {
	for _, w := range report.workloads(s.env) {
		target := ecsservice.TargetOf(s.env, w)
		of := a.loggedRevisions(ctx, s, id, target, report.Events)
		listed := len(of) == 0
		if listed {
			of = a.listedRevisions(ctx, s, id, target)
		}
		for _, record := range of {
			all = append(all, eventRevision{w.Label(), record, listed})
		}
	}
	return all
}

// workloads returns the services and tasks that the lines and messages of an event name, each once.
func (r eventReport) workloads(env *environment.Environment) (all []environment.Workload) {
	var names []string
	for _, e := range r.Events {
		names = append(names, strings.Split(e.Service, ", ")...)
	}
	for _, m := range r.Queued {
		names = append(names, strings.Split(m.Service, ", ")...)
	}
	for _, name := range names {
		found := []environment.Workload{}
		if w, ok := env.Find(name, slices.Concat(environment.Services, environment.Tasks)...); ok {
			found = append(found, w)
		} else if name == event.AllWorkloads {
			found = event.All(env)
		}
		for _, w := range found {
			if !slices.ContainsFunc(all, func(one environment.Workload) bool { return one.Label() == w.Label() }) {
				all = append(all, w)
			}
		}
	}
	return all
}

// loggedRevisions returns the revisions of an event that the function's log names.
func (a *app) loggedRevisions(ctx context.Context, s *session, id string, t ecsservice.Target,
	entries []logs.Entry) (all []journal.Record) {
	services, seen := ecsservice.New(s.config), map[string]bool{"": true}
	for _, e := range entries {
		w, _ := s.env.Find(e.Service, slices.Concat(environment.Services, environment.Tasks)...)
		if seen[e.TaskDefinition] || w.Label() != t.Workload {
			continue
		}
		seen[e.TaskDefinition] = true
		record, err := services.Record(ctx, t, e.TaskDefinition)
		switch {
		case err != nil:
			a.note("%s is not shown: %v", e.TaskDefinition, err)
		case record.Cause.ID == journal.Value(id): // else it ran before the event
			all = append(all, record)
		}
	}
	return all
}

// maxLooked is how many of a family's newest revisions are looked at for those of an event.
const maxLooked = 20

// listedPermissions are the IAM actions that [app.listedRevisions] needs.
var listedPermissions = []string{
	"ecs:DescribeServices (of one event; optional: revisions that only record it, or that a redrive registered)",
	"ecs:ListTaskDefinitions (the same)",
	"ecs:ListServiceDeployments and ecs:DescribeServiceDeployments (the same, for blue/green)",
	"scheduler:GetSchedule (the same, of a task)",
	"events:ListTargetsByRule (the same, of a task that rules start)",
}

// listedRevisions returns the revisions of an event among the newest of a service's family, the oldest first.
func (a *app) listedRevisions(ctx context.Context, s *session, id string, t ecsservice.Target) (all []journal.Record) {
	h, err := s.rollouts().History(ctx, t, maxLooked)
	if err != nil {
		a.note("whether %s has a revision of the event is not known: %v", t.Workload, err)
		return nil
	}
	for _, record := range slices.Backward(h.Records) {
		if record.Cause.ID == journal.Value(id) {
			all = append(all, record)
		}
	}
	return all
}

// end says how the rollout of a revision ended, and why.
func (r eventRevision) end(c canvas, env *environment.Environment) string {
	text := string(r.Outcome)
	switch {
	case r.Outcome == "" && r.listed:
		text = "how its rollout ended is not known"
	case r.Outcome == "" || r.Outcome == journal.RollingOut:
		text = "its rollout has not ended: " + env.Command("wait", r.Service)
	case r.Outcome == journal.Unchanged:
		text += ": it is only a record of the event"
	case !r.Finished.IsZero():
		text += " " + c.moment(r.Finished)
	}
	for _, why := range []string{r.Why, r.Stopped} {
		if why != "" {
			text = clause(text) + "; " + printable(why)
		}
	}
	return text
}
