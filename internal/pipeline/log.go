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

// logDeployment logs the result of a request as one line.
func logDeployment(ctx context.Context, request event.Request, d ecsdeploy.Deployment, err error) {
	tag := cmp.Or(d.Tag, request.Tag) // only the result of a rollback has its tag
	keys := []any{
		"event_id", request.Cause.ID, "source", request.Cause.Source, "service", request.Workload.Label(), "tag", tag,
	}
	if err != nil {
		keys = append(keys, "error", err.Error(), "error_type", fault.NameOf(err))
		slog.ErrorContext(ctx, "deployment failed", keys...)
		return
	}
	level := slog.LevelInfo
	if d.Status == ecsdeploy.Rejected {
		level = slog.LevelError
	}
	slog.Log(ctx, level, "deployment "+string(d.Status), append(keys,
		"image", d.Image, "task_definition", d.TaskDefinition, "previous_task_definition", d.PreviousTaskDefinition,
		"deployment_id", d.DeploymentID, "actor", request.Cause.Actor, "reason", d.Reason)...)
}

// claimedKeys returns what a rejected or ignored event is about, as far as it says so, as
// keys of its line in the log: commands find the event by them.
func claimedKeys(reading event.Reading) []any {
	keys, claims := []any{"event_id", reading.ID}, reading.Claims
	for _, one := range [][2]string{{"source", claims.Cause.Source}, {"service", claims.Service},
		{"tag", claims.Tag}, {"repository", claims.Repository}} {
		if one[1] != "" {
			keys = append(keys, one[0], cut(one[1]))
		}
	}
	return keys
}

// cut returns a text of a sender, cut to the size of one value in the log.
func cut(s string) string {
	const maxRunes = 500
	if runes := []rune(s); len(runes) > maxRunes {
		return string(runes[:maxRunes]) + "…"
	}
	return s
}

// excerpt returns a raw event for the log, cut to the size of a log line.
func excerpt(raw json.RawMessage) string {
	const maxBytes = 4 << 10
	if len(raw) > maxBytes {
		return string(raw[:maxBytes]) + "…"
	}
	return string(raw)
}
