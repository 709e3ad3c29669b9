package event

import "time"

// Cause is who asked for a deployment, when, and why: the event that did. The
// journal of the new revision keeps it, and every outcome holds it. Its JSON
// members are part of both contracts.
type Cause struct {
	ID     string    `json:"event_id,omitempty"`  // the event's id, unique among events of all sources
	Time   time.Time `json:"event_time,omitzero"` // the event's time, in UTC; it orders deployments
	Actor  string    `json:"actor,omitempty"`     // who asked, as the sender states it; not checked
	Source string    `json:"source,omitempty"`    // the event's source, such as "action.production" or "aws.ecr"
	Reason string    `json:"reason,omitempty"`    // why, as the sender states it
}
