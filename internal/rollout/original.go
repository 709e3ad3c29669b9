package rollout

import (
	"encoding/json"
	"slices"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/image"
	"deployer/internal/journal"
)

// originalEvent returns the event that asked for a revision, as far as it can be
// reconstructed from the journal, so that it can be sent again. It is nil if the
// environment accepts no DEPLOY events. For a lost push it is the event that did
// not arrive.
func originalEvent(env *environment.Environment, w environment.Workload, r journal.Record) json.RawMessage {
	e := map[string]any{
		"version": "0", "id": r.Cause.ID, "time": r.Cause.Time.Format(time.RFC3339),
		"account": env.AccountID, "region": env.Region, "resources": []string{},
	}
	ref, err := image.ParseReference(r.Image)
	pushed := r.Cause.Source == event.ECRSource || r.Cause.Source == event.ReconcileSource
	switch {
	case err == nil && pushed:
		registry, _ := ref.Registry()
		e["source"], e["detail-type"] = event.ECRSource, event.ECRImageAction
		e["account"], e["region"] = registry.AccountID, registry.Region
		e["detail"] = map[string]string{
			"action-type": "PUSH", "result": "SUCCESS",
			"repository-name": ref.Repository, "image-tag": r.Tag, "image-digest": r.Digest,
		}
	case len(env.DeploySources) > 0:
		source := env.DeploySources[0]
		if slices.Contains(env.DeploySources, r.Cause.Source) {
			source = r.Cause.Source
		}
		e["source"], e["detail-type"], e["detail"] = source, event.DeployType, deployDetail(w, r, source)
	default:
		return nil
	}
	raw, _ := json.Marshal(e) // strings and maps of strings always encode
	return raw
}

// deployDetail returns the detail of the DEPLOY event for a revision.
func deployDetail(w environment.Workload, r journal.Record, source string) map[string]string {
	detail := map[string]string{"service": w.Name}
	add := func(key, value string) {
		if value != "" {
			detail[key] = value
		}
	}
	add("actor", r.Cause.Actor)
	if r.Restores != "" && source == r.Cause.Source {
		// The tag may be on another image by now: the event asks for the rollback again.
		detail["action"] = event.Rollback
		add("reason", ecsdeploy.SenderReason(r.Cause.Reason))
		return detail
	}
	add("reason", r.Cause.Reason)
	// Only a redeployment deploys an image without a tag.
	if r.Restores == "" && (r.Tag == "" || event.IsChange(r.Cause.Source)) {
		detail["action"] = event.Redeploy
		return detail
	}
	detail["tag"] = r.Tag
	return detail
}
