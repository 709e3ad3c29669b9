package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"

	"deployer/internal/ecsdeploy"
	"deployer/internal/event"
	"deployer/internal/fault"
)

// report logs what became of a request: one line, with what a search needs.
func report(ctx context.Context, request event.Request, d ecsdeploy.Deployment, err error) {
	asked := []any{"event_id", request.Cause.ID, "source", request.Cause.Source, "service", request.Workload.Name, "tag", cmp.Or(d.Tag, request.Tag)} // a rollback finds its tag
	if err != nil {
		slog.ErrorContext(ctx, "deployment failed", append(asked, "error", err.Error(), "error_type", fault.NameOf(err))...)
		return
	}
	level := slog.LevelInfo
	if d.Status == ecsdeploy.Rejected {
		level = slog.LevelError
	}
	slog.Log(ctx, level, "deployment "+string(d.Status), append(asked,
		"image", d.Image, "task_definition", d.TaskDefinition, "previous_task_definition", d.PreviousTaskDefinition,
		"deployment_id", d.DeploymentID, "actor", request.Cause.Actor, "reason", d.Reason)...)
}

// excerpt returns a raw event for the log, cut to what a log line holds.
func excerpt(raw json.RawMessage) string {
	const most = 4 << 10
	if len(raw) > most {
		return string(raw[:most]) + "…"
	}
	return string(raw)
}
