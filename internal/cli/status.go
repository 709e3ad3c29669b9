package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "status -e ENV [SERVICE...]",
		Short: "Show what services run, the state of their rollouts, and drift",
		Long: `For each service, the command shows the image that runs, since when and by whom,
and the state of its rollout. It shows drift too: a newer revision that does not
run, or a tag that ECR has on another image now. Without arguments, all services
are shown. The exit code is 1 if a rollout failed or a service could not be read.`,
		Example: `deployer status -e prod
deployer status -e prod backend --watch
deployer status -e prod --json`,
		Annotations: permissions("ecs:DescribeServices", "ecs:DescribeTaskDefinition",
			"ecs:DescribeServiceDeployments (stages, pauses, blue/green)",
			"ecs:ListServiceDeployments (for blue/green, linear and canary deployments)",
			"ecs:ListTasks (optional: why tasks stop)", "ecs:DescribeTasks (optional: why tasks stop)",
			"ecr:BatchGetImage (optional: finds moved and deleted tags)"),
		Args: arguments("[SERVICE...]"),
	}
	file := fileFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&watch, "watch", false, "refresh every two seconds; off a terminal, print changes only")
	cmd.ValidArgsFunction = completeServices(file, 0)
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		if watch && asJSON {
			return wrongUsage("--watch and --json exclude each other")
		}
		env, err := a.load(*file)
		if err != nil {
			return err
		}
		workloads, err := a.services(env, names)
		if err != nil {
			return err
		}
		ctx, cancel := withTimeout(cmd.Context())
		defer cancel()
		s, err := a.connect(ctx, env)
		if err != nil {
			return err
		}
		b := newBoard(s.env, s.config, workloads)
		if watch {
			return a.watch(cmd.Context(), b)
		}
		return a.status(ctx, b, asJSON)
	}
	return cmd
}

// status prints the status of services once.
func (a *app) status(ctx context.Context, b *board, asJSON bool) error {
	report, err := b.read(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(a.out, report)
	} else {
		_, err = fmt.Fprint(a.out, report.draw(newCanvas(a.out)))
	}
	if err == nil && !report.healthy() {
		return errNotDone
	}
	return err
}

// statusReport is the status of services, as --json prints it.
type statusReport struct {
	Environment string          `json:"environment"`
	Cluster     string          `json:"cluster"`
	Services    []serviceStatus `json:"services"`
}

// serviceStatus is the status of one service. With an error, all else but the names is empty.
type serviceStatus struct {
	Service    string            `json:"service"` // as events name it
	ECSService string            `json:"ecs_service"`
	Condition  rollout.Condition `json:"condition,omitempty"`
	Since      time.Time         `json:"since,omitzero"` // when the rollout of what it runs began
	Running    *journal.Record   `json:"running,omitempty"`
	Rollout    *rolloutStatus    `json:"rollout,omitempty"`
	Why        string            `json:"why,omitempty"`           // its last rollout failed or is impaired
	Stopped    string            `json:"stopped_tasks,omitempty"` // why tasks of that rollout stopped
	Drift      *drift            `json:"drift,omitempty"`
	Error      *errorStatus      `json:"error,omitempty"`

	failed  bool // its last rollout failed
	trouble rollout.Trouble
}

// rolloutStatus is the progress of the rollout of what runs.
type rolloutStatus struct {
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

// errorStatus is why a service's status is not known.
type errorStatus struct {
	Name    string `json:"name"` // as in the function's errors, such as "ServiceNotFound"
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// healthy reports whether every service could be read and no rollout failed.
func (r statusReport) healthy() bool {
	for _, s := range r.Services {
		if s.Error != nil || s.failed {
			return false
		}
	}
	return true
}

// read reads the status of all services, and which images their tags are on now.
func (b *board) read(ctx context.Context) (statusReport, error) {
	services := make([]serviceStatus, len(b.workloads))
	report := statusReport{Environment: b.env.Name, Cluster: b.env.Cluster, Services: services}
	var lookups errgroup.Group
	lookups.SetLimit(maxLookups)
	err := b.rollouts.Statuses(ctx, b.env.Cluster, b.targets, b.memory, func(i int, s rollout.Status, err error) {
		w, row := b.workloads[i], &report.Services[i]
		row.Service, row.ECSService = w.Name, w.Pointer.Name()
		if err != nil {
			row.Error = errorOf(err)
			return
		}
		row.Condition, row.Since, row.Running, row.failed = s.Condition, s.Since, &s.Running, s.Failed()
		row.trouble, row.Why, row.Stopped = s.Trouble, s.Trouble.Why, s.Trouble.Stopped
		p, deployment := s.Progress, s.Deployment
		row.Rollout = &rolloutStatus{
			DeploymentID: p.DeploymentID, Reason: p.Reason,
			Desired: p.Desired, Running: p.Running, Pending: p.Pending, Failed: p.Failed,
			Stage: deployment.Stage, PausedUntil: deployment.Until, Then: deployment.Then,
		}
		row.Drift = &drift{Newest: s.Newest, SameImage: s.SameImage}
		lookups.Go(func() error {
			row.Drift.Tag = b.tag(ctx, w, s.Running)
			return nil
		})
	})
	return report, errors.Join(err, lookups.Wait())
}

// errorOf returns an error as the report has it: what is wrong, and what to do.
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

// draw returns the report as a table. Below it stands what is wrong with rollouts.
func (r statusReport) draw(c canvas) string {
	var t table
	t.head("SERVICE", "TAG", "DIGEST", "REVISION", "SINCE", "BY", "ROLLOUT", "DRIFT")
	var problems strings.Builder
	for _, s := range r.Services {
		if s.Error != nil {
			text := "error: " + s.Error.Message
			if s.Error.Hint != "" {
				text += " (" + s.Error.Hint + ")"
			}
			t.add(cell{text: s.Service}, cell{text, red})
			continue
		}
		t.add(cell{text: s.Service}, cell{text: s.Running.Tag}, cell{text: shortDigest(s.Running.Digest)},
			cell{text: fmt.Sprint(s.Running.Revision)}, cell{text: moment(s.Since)}, cell{text: actorOf(*s.Running)},
			s.rollout(c), s.Drift.cell())
		problems.WriteString(problemLines(s.Service+": ", s.trouble.Revision, s.Why, s.Stopped))
	}
	if problems.Len() > 0 {
		return t.draw(c) + "\n" + problems.String()
	}
	return t.draw(c)
}

// rollout returns the state of the rollout as one field.
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
