package fleet

import (
	"fmt"
	"strings"

	"deployer/internal/journal"
)

// Drift is how what a service runs differs from what its next deployment would find.
type Drift struct {
	Newest    *journal.Record `json:"newest,omitempty"`     // the family's newest revision, if that is not what runs
	SameImage bool            `json:"same_image,omitempty"` // the newest revision's image runs too
	Tag       TagDrift        `json:"tag"`
	Pointers  []string        `json:"pointers,omitempty"` // of a task: those that hold another revision, and which
}

// TagDrift is whether the tag that runs is still on the image that runs.
type TagDrift struct {
	State  string `json:"state"`            // "none", "moved", "gone" or "unknown"
	Digest string `json:"digest,omitempty"` // of the image that the tag is on now, if it has moved
	Reason string `json:"reason,omitempty"` // why it is unknown
}

// Lines returns what has drifted, a part of a sentence each; none if nothing has.
// Uncertain is true if the only one is that it is not known.
func (d *Drift) Lines() (lines []string, uncertain bool) {
	if n := d.Newest; n != nil {
		what := "revision " + fmt.Sprint(n.Revision)
		switch {
		case n.Outcome == journal.Failed:
			what += " failed"
		case d.SameImage:
			what += " is newer, with the same image"
		case n.Tag != "":
			what += " is newer, with " + n.Tag
		default:
			what += " is newer"
		}
		lines = append(lines, what)
	}
	lines = append(lines, d.Pointers...)
	switch d.Tag.State {
	case "moved":
		lines = append(lines, "the tag is on "+ShortDigest(d.Tag.Digest)+" now")
	case "gone":
		lines = append(lines, "the tag was deleted from ECR")
	case "unknown":
		uncertain = len(lines) == 0
		lines = append(lines, "unknown: "+d.Tag.Reason)
	}
	return lines, uncertain
}

// ShortDigest returns the first 12 digits of a digest, without its algorithm.
func ShortDigest(digest string) string {
	const digits = 12
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(len(hex), digits)]
}
