package ecsdeploy

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy/converge"
)

// The journal is the tags of a revision: why it was made, and by what event.
// There is no database; history and idempotency read the journal.
const (
	journalPrefix = "deployer:"

	keyEventID  = journalPrefix + "event-id"
	keyTime     = journalPrefix + "event-time" // RFC 3339, UTC
	keySource   = journalPrefix + "source"
	keyTag      = journalPrefix + "tag"
	keyDigest   = journalPrefix + "digest"
	keyPrevious = journalPrefix + "previous" // ARN of the revision that ran
	keyBase     = journalPrefix + "base"     // ARN of the family's newest revision when this one was made
	keyBest     = journalPrefix + "best"     // NUMBER@TIME: who had won up to the base
	keyActor    = journalPrefix + "actor"
	keyReason   = journalPrefix + "reason"
	keyRestores = journalPrefix + "restores" // ARN of the revision that a rollback goes back to

	// Written once they are known; until then a revision has none.
	keyDeployment = journalPrefix + "deployment" // ECS's id of the rollout
	keyOutcome    = journalPrefix + "outcome"    // how the rollout ended: a Phase, or Impaired
	keyFinished   = journalPrefix + "finished"   // RFC 3339, UTC: when it did
	keyWhy        = journalPrefix + "why"        // why it failed, in ECS's words
	keyReturn     = journalPrefix + "return"     // ECS's id of the rollout by which it went back from a failed one
	later         = 5                            // how many these are
)

// maxTags is how many tags ECS lets a resource have.
const maxTags = 50

// journal returns the tags of the revision that carries out the order. Best
// is who had won up to the base, "" if nobody.
func (o Order) journal(previous, base, best string) []types.Tag {
	return tagsOf([][2]string{
		{keyEventID, o.Cause.ID},
		{keyTime, o.Cause.Time.UTC().Format(time.RFC3339Nano)},
		{keySource, o.Cause.Source},
		{keyTag, o.Image.Tag},
		{keyDigest, o.Image.Digest},
		{keyPrevious, previous},
		{keyBase, base},
		{keyBest, best},
		{keyActor, o.Cause.Actor},
		{keyReason, o.Cause.Reason},
		{keyRestores, o.Restores},
	})
}

// bestValue is the text of a key under keyBest; the zero Key has none.
func bestValue(k converge.Key) string {
	if k.Number == 0 {
		return ""
	}
	return strconv.Itoa(k.Number) + "@" + time.Unix(0, k.Time).UTC().Format(time.RFC3339Nano)
}

// parseBest reads what bestValue wrote; anything else is the zero Key.
func parseBest(s string) converge.Key {
	number, at, ok := strings.Cut(s, "@")
	n, err := strconv.Atoi(number)
	t, timeErr := time.Parse(time.RFC3339Nano, at)
	if !ok || err != nil || timeErr != nil || n <= 0 {
		return converge.Key{}
	}
	return converge.Key{Time: t.UnixNano(), Number: n}
}

// TagValue returns s as the value of an AWS tag: at most 256 characters of
// ASCII letters, digits, spaces and + - = . _ : / @. Any other becomes "_": a
// deployment does not fail over how its reason is written.
func TagValue(s string) string {
	const most = 256
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			break
		}
		if r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" +-=._:/@", r)) {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// tagValue returns the value of a tag, "" if there is none under the key.
func tagValue(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}
