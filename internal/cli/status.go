package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// status is `deployer status`: what each service runs, since when and by whose wish.
func (c *cli) status() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	asJSON := c.flags.Bool("json", false, "print one JSON document")
	watch := c.flags.Bool("watch", false, "look again every two seconds until interrupted; off a terminal, print only what changed")
	services, err := c.parse("SERVICE*")
	switch {
	case err != nil:
		return err
	case *watch && *asJSON:
		return usageError("-watch and -json exclude each other")
	}
	env, err := c.load(*file)
	if err != nil {
		return err
	}
	workloads, err := servicesOf(env, services)
	if err != nil {
		return err
	}
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	env, config, _, err := c.credentials(ctx, env)
	if err != nil {
		return err
	}
	b := newBoard(env, config, workloads)
	if *watch {
		return c.watch(c, b)
	}
	report, err := b.read(ctx)
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(c.out, report)
	} else {
		_, err = fmt.Fprint(c.out, report.draw(newCanvas(c.out)))
	}
	if err == nil && !report.well() {
		return errNotDone
	}
	return err
}

// servicesOf returns the services that go by the names, all where there are none.
func servicesOf(env *environment.Environment, names []string) (all []environment.Workload, err error) {
	if len(names) == 0 {
		names = env.Names(environment.Services...)
	}
	for i, name := range names {
		w, err := serviceOf(env, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names[:i], name) {
			all = append(all, w)
		}
	}
	return all, nil
}

// statusReport is what `deployer status` finds; its JSON is what -json prints.
type statusReport struct {
	Environment string          `json:"environment"`
	Cluster     string          `json:"cluster"`
	Services    []serviceStatus `json:"services"`
}

// serviceStatus is how one service stands; where it has an error, that is all.
type serviceStatus struct {
	Service    string            `json:"service"` // as events name it
	ECSService string            `json:"ecs_service"`
	Condition  rollout.Condition `json:"condition,omitempty"`
	Since      time.Time         `json:"since,omitzero"` // when ECS began to move the service to what it runs
	Running    *journal.Record   `json:"running,omitempty"`
	Rollout    *rolloutStatus    `json:"rollout,omitempty"`
	Drift      *drift            `json:"drift,omitempty"`
	Error      *errorStatus      `json:"error,omitempty"`

	failed bool // its last rollout did
}

// rolloutStatus is how far the rollout of what runs has come.
type rolloutStatus struct {
	DeploymentID string    `json:"deployment_id,omitempty"`
	Reason       string    `json:"reason,omitempty"` // ECS's words
	Desired      int       `json:"desired"`
	Running      int       `json:"running"`
	Pending      int       `json:"pending"`
	Failed       int       `json:"failed"`
	Stage        string    `json:"stage,omitempty"`       // of a deployment that has stages, such as "BAKE_TIME"
	PausedUntil  time.Time `json:"paused_until,omitzero"` // when a pause ends by itself
	Then         string    `json:"then,omitempty"`        // what happens then: "CONTINUE" or "ROLLBACK"
}

// errorStatus is why a service's status is not known.
type errorStatus struct {
	Name    string `json:"name"` // as in the function's errors, such as "ServiceNotFound"
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// well reports whether every service could be read and no rollout failed.
func (r statusReport) well() bool {
	for _, s := range r.Services {
		if s.Error != nil || s.failed {
			return false
		}
	}
	return true
}

// read reads how all services stand, and which images their tags are on now.
func (b *board) read(ctx context.Context) (statusReport, error) {
	report := statusReport{Environment: b.env.Name, Cluster: b.env.Cluster, Services: make([]serviceStatus, len(b.workloads))}
	var lookups errgroup.Group
	lookups.SetLimit(lookupsInFlight)
	err := b.rollouts.Statuses(ctx, b.env.Cluster, b.targets, b.memory, func(i int, s rollout.Status, err error) {
		w, row := b.workloads[i], &report.Services[i]
		row.Service, row.ECSService = w.Name, w.Pointer.Name()
		if err != nil {
			row.Error = errorOf(err)
			return
		}
		row.Condition, row.Since, row.Running, row.failed = s.Condition, s.Since, &s.Running, s.Failed()
		row.Rollout = &rolloutStatus{s.Progress.DeploymentID, s.Progress.Reason, s.Progress.Desired, s.Progress.Running, s.Progress.Pending, s.Progress.Failed,
			s.Deployment.Stage, s.Deployment.Until, s.Deployment.Then}
		row.Drift = &drift{Newest: s.Newest, SameImage: s.SameImage}
		lookups.Go(func() error {
			row.Drift.Tag = b.tag(ctx, w, s.Running)
			return nil
		})
	})
	return report, errors.Join(err, lookups.Wait())
}

// errorOf returns an error as the report tells it: what is wrong, and what to do.
func errorOf(err error) *errorStatus {
	e := &errorStatus{Name: fault.NameOf(err), Message: err.Error()}
	var parts interface {
		Parts() (what, hint string)
		Unwrap() error
	}
	if errors.As(err, &parts) {
		_, e.Hint = parts.Parts()
		e.Message = parts.Unwrap().Error()
	}
	return e
}

// draw returns the report as a table.
func (r statusReport) draw(c canvas) string {
	var t table
	t.head("SERVICE", "TAG", "DIGEST", "REVISION", "SINCE", "BY", "ROLLOUT", "DRIFT")
	for _, s := range r.Services {
		if s.Error != nil {
			text := "error: " + s.Error.Message
			if s.Error.Hint != "" {
				text += " (" + s.Error.Hint + ")"
			}
			t.add(cell{text: s.Service}, cell{text, red})
			continue
		}
		t.add(cell{text: s.Service}, cell{text: s.Running.Tag}, cell{text: shortDigest(s.Running.Digest)}, cell{text: fmt.Sprint(s.Running.Revision)},
			cell{text: moment(s.Since)}, cell{text: byOf(*s.Running)}, s.rollout(c), s.Drift.cell())
	}
	return t.draw(c)
}

// rollout is how far the service has come, in one field.
func (s serviceStatus) rollout(c canvas) cell {
	text := fmt.Sprintf("%s %d/%d", s.Condition, s.Rollout.Running, s.Rollout.Desired)
	if s.Rollout.Failed > 0 {
		text += fmt.Sprintf(", %d failed", s.Rollout.Failed)
	}
	if s.Rollout.Stage != "" {
		text += " at " + s.Rollout.Stage
	}
	switch {
	case s.failed:
		return cell{text, red}
	case s.Condition == rollout.Steady:
		return cell{text, green}
	}
	return cell{c.bar(s.Rollout.Running, s.Rollout.Desired) + text, amber}
}
