package event

import "time"

// Cause is the event that asked for a deployment: who asked, when and why. It
// is kept in the journal of the revision that the deployment makes, and is
// published with every outcome. Its JSON members are part of both contracts.
type Cause struct {
	ID     string    `json:"event_id,omitempty"`  // the event's id, unique among events of all sources
	Time   time.Time `json:"event_time,omitzero"` // the event's own time, in UTC: it orders deployments
	Actor  string    `json:"actor,omitempty"`     // who asked, as the sender states it
	Source string    `json:"source,omitempty"`    // the event's source, such as "action.production" or "aws.ecr"
	Reason string    `json:"reason,omitempty"`    // why, as the sender states it
}
