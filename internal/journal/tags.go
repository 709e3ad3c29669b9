package journal

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"deployer/internal/event"
)

// Prefix is the prefix of every tag of the journal.
const Prefix = "deployer:"

// The tags that a revision is registered with.
const (
	keyEventID  = Prefix + "event-id"
	keyTime     = Prefix + "event-time" // RFC 3339, UTC
	keySource   = Prefix + "source"
	keyTag      = Prefix + "tag"
	keyDigest   = Prefix + "digest"
	keyPrevious = Prefix + "previous" // ARN of the revision that the service ran
	keyActor    = Prefix + "actor"
	keyReason   = Prefix + "reason"
	keyRestores = Prefix + "restores" // ARN of the revision that a rollback restores

	keyService = Prefix + "service" // see [ServiceName]
	keyRule    = Prefix + "rule"    // what only the convergence rule needs, see [Rule]
	keyCopyOf  = Prefix + "copy-of" // number of the revision that it is a copy of
)

// The tags of earlier versions for what is now in keyRule.
const (
	keyBase = Prefix + "base" // ARN of the family's newest revision
	keyBest = Prefix + "best" // see [Best]
)

// The tags that are added when the state of the revision's rollout is known.
const (
	keyDeployment   = Prefix + "deployment" // ECS's id of the rollout
	keyOutcome      = Prefix + "outcome"    // a [Phase]
	keyFinished     = Prefix + "finished"   // RFC 3339, UTC
	keyWhy          = Prefix + "why"        // ECS's reason for a failure
	keyRolledBackBy = Prefix + "return"     // ECS's id of the rollout that rolled the service back
	keyStopped      = Prefix + "stopped"    // why tasks stopped
	keyHooks        = Prefix + "hooks"      // the reported steps of hooks and external rollouts, see [Steps]
)

// Tag limits of Amazon ECS and of this journal.
const (
	MaxTags  = 50  // tags that ECS allows on one resource
	NoteTags = 7   // tags that notes add to a revision after its registration
	maxValue = 256 // characters in the value of one tag

	// EssentialNoteTags is how many of NoteTags a revision needs: see [Note.Essential].
	EssentialNoteTags = 4

	// EntryTags is the max number of tags of an entry, and EssentialEntryTags how many of
	// them are never left out: see [Entry.TagsWithin].
	EntryTags          = 11
	EssentialEntryTags = EntryTags - 4

	// MaxOwnTags is how many tags of its own a family may have without a deployment
	// leaving out a part of the journal. With more than OwnTagsLimit, rollbacks are
	// refused, and with one more than that, all deployments.
	MaxOwnTags   = MaxTags - NoteTags - EntryTags
	OwnTagsLimit = MaxTags - EssentialNoteTags - EssentialEntryTags
)

// reserved is the prefix that keys and values of tags must not have, in any case. See
// RegisterTaskDefinition in the Amazon ECS API reference, "tags".
const reserved = "aws:"

// Tag is one tag of a resource.
type Tag struct{ Key, Value string }

// Entry is the part of a journal that a revision is registered with.
type Entry struct {
	Cause    event.Cause // the event that the revision is registered for
	Tag      string      // the image's tag
	Digest   string      // the image's digest
	Previous string      // ARN of the revision that the service runs
	Restores string      // ARN of the revision that a rollback restores; "" for any other deployment
	Service  string      // see [ServiceName]
	CopyOf   int         // number of the revision that it is a copy of; 0 if it is none
	Rule     Rule
}

// Tags returns the tags of the entry in a fixed order, without empty values.
func (e Entry) Tags() []Tag {
	return tags([]Tag{
		{keyEventID, e.Cause.ID},
		{keyTime, formatTime(e.Cause.Time, time.RFC3339Nano)},
		{keySource, e.Cause.Source},
		{keyTag, e.Tag},
		{keyDigest, e.Digest},
		{keyPrevious, e.Previous},
		{keyActor, e.Cause.Actor},
		{keyReason, e.Cause.Reason},
		{keyRestores, e.Restores},
		{keyService, e.Service},
		{keyCopyOf, formatNumber(e.CopyOf)},
		{keyRule, e.Rule.String()},
	})
}

// optional are the keys of an entry that may be left out, the least needed first: they
// are for people. The others are needed to end up with the newest event's image, and to
// follow the rollout.
var optional = []string{keyReason, keyActor, keySource, keyPrevious}

// TagsWithin returns the tags of the entry, at most limit of them: it leaves out
// optional ones, and returns their keys. If even the others are too many, ok is false.
func (e Entry) TagsWithin(limit int) (kept []Tag, leftOut []string, ok bool) {
	kept = e.Tags()
	for _, key := range optional {
		if len(kept) <= limit {
			break
		}
		n := len(kept)
		kept = slices.DeleteFunc(kept, func(t Tag) bool { return t.Key == key })
		if len(kept) < n {
			leftOut = append(leftOut, key)
		}
	}
	return kept, leftOut, len(kept) <= limit
}

// Note is an addition to a revision's journal about its rollout. Empty fields leave
// the journal unchanged. A reason without an outcome notes that the rollout is impaired: it
// does not overwrite an end, even if the call that writes it is delayed until after that.
type Note struct {
	DeploymentID string    // ECS's id of the rollout, "ecs-svc/…"
	Outcome      Phase     // the phase of the rollout
	Finished     time.Time // when the rollout ended
	Why          string    // ECS's reason for a failure
	RolledBackBy string    // ECS's id of the rollout that rolled the service back
	Stopped      string    // why its tasks stopped, as ECS says it
	Hooks        Steps     // the steps that were reported: see [Record]
}

// Essential returns the note without what is only for people.
func (n Note) Essential() Note {
	if n.Why != "" && n.Outcome == "" {
		n.Outcome = Impaired
	}
	return Note{DeploymentID: n.DeploymentID, Outcome: n.Outcome, Finished: n.Finished, RolledBackBy: n.RolledBackBy}
}

// Tags returns the tags of the note in a fixed order, without empty values.
func (n Note) Tags() []Tag {
	return tags([]Tag{
		{keyDeployment, n.DeploymentID},
		{keyOutcome, string(n.Outcome)},
		{keyFinished, formatTime(n.Finished, time.RFC3339)},
		{keyWhy, n.Why},
		{keyRolledBackBy, n.RolledBackBy},
		{keyStopped, n.Stopped},
		{keyHooks, string(n.Hooks)},
	})
}

// tags returns the tags that are not empty, with values that AWS accepts.
func tags(all []Tag) (kept []Tag) {
	for _, t := range all {
		t.Value = Value(t.Value)
		if t.Value != "" {
			kept = append(kept, t)
		}
	}
	return kept
}

// formatTime formats a time in UTC; the zero time is "".
func formatTime(at time.Time, layout string) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(layout)
}

// Value returns s as the value of an AWS tag: at most 256 characters, which are
// ASCII letters, digits, spaces or + - = . _ : / @. It replaces other characters
// with "_", and puts "_" before a text that begins with "aws:" in any case, which is
// reserved for AWS: no text makes a deployment fail. Value(Value(s)) is Value(s).
func Value(s string) string {
	var b strings.Builder
	n := 0
	if len(s) >= len(reserved) && strings.EqualFold(s[:len(reserved)], reserved) {
		n, _ = b.WriteString("_")
	}
	for _, r := range s {
		if n++; n > maxValue {
			break
		}
		if allowed(r) {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// allowed reports whether AWS allows a character in the value of a tag.
func allowed(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return r < utf8.RuneSelf && (letter || r >= '0' && r <= '9' || strings.ContainsRune(" +-=._:/@", r))
}
