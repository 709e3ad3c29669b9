package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"deployer/internal/environment"
	"deployer/internal/event"
)

// asEvent returns an event as EventBridge delivers it, of the forms in which people have
// one: the detail of a DEPLOY event alone, and the entries that `deployer send --dry-run`
// prints and PutEvents takes, of which the first counts, or one of them alone. Anything else is returned as it is.
func asEvent(env *environment.Environment, raw []byte) []byte {
	list := raw
	var call struct{ Entries json.RawMessage } // the input of PutEvents
	if json.Unmarshal(raw, &call) == nil && call.Entries != nil {
		list = call.Entries
	}
	var entries []putEventsEntry
	if json.Unmarshal(list, &entries) == nil && len(entries) > 0 && json.Valid([]byte(entries[0].Detail)) {
		return deliver(entries[0].Source, entries[0].DetailType, json.RawMessage(entries[0].Detail))
	}
	var one putEventsEntry
	if json.Unmarshal(raw, &one) == nil && one.Source != "" && one.DetailType != "" && json.Valid([]byte(one.Detail)) {
		return deliver(one.Source, one.DetailType, json.RawMessage(one.Detail))
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(raw, &keys) != nil || keys["detail-type"] != nil || keys["detail"] != nil {
		return raw
	}
	for _, key := range []string{"service", "services", "task", "tag", "action"} {
		if keys[key] != nil && len(env.DeploySources) > 0 {
			return deliver(env.DeploySources[0], "DEPLOY", raw)
		}
	}
	return raw
}

// deliver returns an event with the members that EventBridge adds.
func deliver(source, detailType string, detail json.RawMessage) []byte {
	event, err := json.Marshal(map[string]any{"id": "explain", "source": source, "detail-type": detailType,
		"time": time.Now().UTC().Format(time.RFC3339), "detail": detail})
	if err != nil {
		return detail
	}
	return event
}

// pushEvent returns the event of a push of NAME:TAG, as ECR sends it to the registry's
// account ("Amazon ECR events and EventBridge" in the ECR user guide).
func (a *app) pushEvent(env *environment.Environment, push string) ([]byte, error) {
	colon := strings.LastIndexByte(push, ':')
	name, tag := push[:max(colon, 0)], push[colon+1:]
	if name == "" || name+":" == environment.TaskPrefix || name+":" == environment.ServicePrefix {
		return nil, wrongUsage("--push %s has no tag: write NAME:TAG, such as backend:latest", printable(push))
	}
	if wrong := event.CheckTag(tag); wrong != "" {
		return nil, wrongUsage("--push %s: %s", printable(push), wrong)
	}
	w, ok := env.Find(name, slices.Concat(environment.Services, environment.Tasks)...)
	switch {
	case !ok:
		e, near := a.nameOfNone(env, name)
		if near != "" {
			e.hint = a.corrected(push, near+":"+tag)
		}
		return nil, e
	case w.Repository == "":
		return nil, wrongUsage("--push %s: %s has no repository in ECR, so no push is for it", printable(push),
			w.Label())
	}
	sum := sha256.Sum256([]byte(push)) // a push has a digest, and no one looks for this one
	return json.Marshal(map[string]any{"version": "0", "id": "explain", "source": event.ECRSource,
		"detail-type": event.ECRImageAction, "time": time.Now().UTC().Format(time.RFC3339),
		"account": w.Registry.AccountID, "region": w.Registry.Region, "resources": []string{},
		"detail": map[string]string{"action-type": "PUSH", "result": "SUCCESS", "repository-name": w.Repository,
			"image-tag": tag, "image-digest": "sha256:" + hex.EncodeToString(sum[:])}})
}
