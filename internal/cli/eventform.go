package cli

import (
	"encoding/json"
	"time"

	"deployer/internal/environment"
)

// asEvent returns an event as EventBridge delivers it, of the forms in which people have
// one: the detail of a DEPLOY event alone, and the entries that `deployer send --dry-run`
// prints and PutEvents takes, of which the first counts. Anything else is returned as it is.
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
