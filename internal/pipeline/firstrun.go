package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"deployer/internal/ecsdeploy"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/outcome"
)

// reportFirstRun reports how the first run of a revision of a task ended, and notes it in the
// revision's journal. Later runs, and revisions of other tools, are left alone.
func (p *Pipeline) reportFirstRun(ctx context.Context, env *environment.Environment, reading event.Reading) (Result,
	error) {
	result := Result{EventID: reading.ID, Status: ecsdeploy.Ignored, Deployments: []ecsdeploy.Deployment{}}
	run := reading.Run
	revision, err := p.services.DescribeRevision(ctx, run.TaskDefinition)
	if err != nil {
		if errors.Is(err, fault.ErrTaskDefinitionNotFound) {
			result.Reason = "the revision of the run was deleted"
			return result, nil
		}
		return Result{}, err
	}
	run.Workload = ranWorkload(env, run.Workload, revision)
	target := ecsservice.TargetOf(env, run.Workload)
	record := target.Record(revision)
	switch {
	case record.Foreign || record.Other:
		result.Reason = "the revision of the run was not registered by the deployer for " + run.Workload.Label()
	case record.Stopped != "":
		result.Reason = "the first run of the revision was reported before"
	}
	if result.Reason != "" {
		slog.InfoContext(ctx, "event ignored", "event_id", reading.ID, "service", run.Workload.Label(),
			"reason", result.Reason)
		return result, nil
	}
	o := outcome.New(env, run.Workload)
	o.Time, o.Cause, o.Tag, o.Digest = reading.At, record.Cause, record.Tag, record.Digest
	o.Revision = outcome.Change{Before: record.Previous, After: run.TaskDefinition}
	o.Run, err = runOf(target, revision, run)
	if err != nil {
		slog.WarnContext(ctx, "all containers of the run count", "reason", err.Error())
	}
	if o, err = outcome.FirstRun(o); err != nil {
		return Result{}, err
	}
	if err := p.publisher.Publish(ctx, o); err != nil {
		return Result{}, err
	}
	if err := p.services.AddNote(ctx, record, journal.FirstRunNote(o.Run.Text())); err != nil {
		return Result{}, err
	}
	p.publisher.Notify(ctx, o)
	result.Status, result.Reason = ecsdeploy.Unchanged, o.Message
	return result, nil
}

// ranWorkload returns the task for which a revision was registered, of those that share the family of one.
func ranWorkload(env *environment.Environment, one environment.Workload, r ecsservice.Revision) environment.Workload {
	for _, w := range env.Workloads {
		if w.HasService() || w.Family != one.Family {
			continue
		}
		if record := ecsservice.TargetOf(env, w).Record(r); !record.Foreign && !record.Other {
			return w
		}
	}
	return one
}

// runOf returns how a run ended. It succeeded if the containers that run the target's image
// exited with 0; if these are not known, all have to.
func runOf(t ecsservice.Target, r ecsservice.Revision, run event.Run) (outcome.Run, error) {
	names := map[string]bool{}
	chosen, err := t.Containers(r.TaskDefinition)
	for _, i := range chosen {
		names[*r.TaskDefinition.ContainerDefinitions[i].Name] = true
	}
	end := outcome.Run{Task: run.Task, StopCode: run.StopCode, Reason: ecsservice.Unsigned(run.Reason), Succeeded: true}
	var codes []string
	ended := 0
	for _, c := range run.Containers {
		if c.ExitCode != nil {
			codes = append(codes, fmt.Sprintf("container %s exited with code %d", c.Name, *c.ExitCode))
		}
		if err == nil && !names[c.Name] {
			continue
		}
		ended++
		end.Succeeded = end.Succeeded && c.ExitCode != nil && *c.ExitCode == 0
		if c.ExitCode != nil && (end.ExitCode == nil || *c.ExitCode != 0) {
			end.ExitCode = c.ExitCode
		}
	}
	end.Containers, end.Succeeded = strings.Join(codes, "; "), end.Succeeded && ended > 0
	return end, err
}
