package ecsdeploy

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/event"
	"deployer/internal/image"
)

// Impaired is what a journal says of a rollout whose tasks ECS keeps failing to
// start, where no circuit breaker ends it.
const Impaired Phase = "impaired"

// Record is a revision as its journal tells of it. What a journal does not say
// is the zero value. Its JSON is a part of what `deployer history` and `deployer
// status` print with -json.
type Record struct {
	TaskDefinition string    `json:"task_definition"` // ARN of the revision
	Revision       int       `json:"revision"`        // its number
	Registered     time.Time `json:"registered,omitzero"`
	Inactive       bool      `json:"inactive,omitempty"` // it was deregistered: no service can be moved to it

	Image  string `json:"image,omitempty"`  // the image reference of the workload's container
	Tag    string `json:"tag,omitempty"`    // by which the image was asked for; else the reference's own
	Digest string `json:"digest,omitempty"` // of the image; "" where it runs by a tag that nobody pinned

	event.Cause
	Previous     string    `json:"previous,omitempty"`      // ARN of the revision that ran when this one was made
	Restores     string    `json:"restores,omitempty"`      // ARN of the revision that this one, a rollback, goes back to
	Foreign      bool      `json:"foreign,omitempty"`       // somebody else made it: it has no journal
	Outcome      Phase     `json:"outcome,omitempty"`       // a Phase, or Impaired; "" if it is not known
	Finished     time.Time `json:"finished,omitzero"`       // when the rollout ended
	Why          string    `json:"why,omitempty"`           // why it failed, in ECS's words
	Return       string    `json:"return,omitempty"`        // ECS's id of the rollout by which it went back from this one
	DeploymentID string    `json:"deployment_id,omitempty"` // ECS's id of the rollout, "ecs-svc/…"
}

// record reads the journal of a revision of the target's family.
func (t Target) record(r revision) Record {
	value := func(key string) string { return tagValue(r.tags, key) }
	moment := func(key string) time.Time {
		at, _ := time.Parse(time.RFC3339Nano, value(key))
		return at
	}
	record := Record{
		TaskDefinition: r.arn(), Revision: int(r.TaskDefinition.Revision), Registered: aws.ToTime(r.RegisteredAt).UTC(),
		Inactive: r.Status != "" && r.Status != types.TaskDefinitionStatusActive,
		Cause:    event.Cause{ID: value(keyEventID), Time: moment(keyTime), Source: value(keySource), Actor: value(keyActor), Reason: value(keyReason)},
		Previous: value(keyPrevious), Outcome: Phase(value(keyOutcome)), Finished: moment(keyFinished), DeploymentID: value(keyDeployment),
		Restores: value(keyRestores), Why: value(keyWhy), Return: value(keyReturn),
	}
	record.Foreign = record.Cause.ID == "" || record.Cause.Time.IsZero()
	if chosen, err := t.Containers(r.TaskDefinition); err == nil {
		record.Image = aws.ToString(r.ContainerDefinitions[chosen[0]].Image)
	}
	// The reference outranks the journal, which may have been copied with the
	// tags of the revision it speaks of.
	ref, _ := image.ParseReference(record.Image)
	record.Tag, record.Digest = ref.Tag, ref.Digest
	if tag, digest := value(keyTag), value(keyDigest); digest != "" && (ref.Digest == digest || ref.Digest == "" && ref.Tag == tag) {
		record.Tag, record.Digest = tag, digest
	}
	return record
}

// By returns who a revision goes back to: who asked for it, else where the
// event came from; "" for somebody else's.
func (r Record) By() string {
	if r.Cause.Actor != "" {
		return r.Cause.Actor
	}
	return r.Cause.Source
}
