package outcome

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The maximum numbers of bytes of a name and of a text that a sender or AWS
// wrote. With them an outcome without its event is far smaller than a bus allows.
const (
	maxName = 512
	maxText = 4 << 10

	maxStopped = 10 // reasons of stopped tasks
)

// clip cuts every text that a sender or AWS wrote to its maximum.
func (o *Outcome) clip() {
	for _, s := range []*string{
		&o.Service, &o.Cluster, &o.Tag, &o.Cause.ID, &o.Cause.Source, &o.Image.Before, &o.Image.After,
		&o.RolledBackTo.Image, &o.SupersededBy.EventID, &o.SupersededBy.DeploymentID,
		&o.Hook.ID, &o.Hook.Type, &o.Hook.Stage, &o.Hook.Status, &o.Hook.Then,
	} {
		*s = clip(*s, maxName)
	}
	for _, s := range []*string{&o.Cause.Actor, &o.Cause.Reason, &o.ECSReason, &o.Problem, &o.Hook.Continue} {
		*s = clip(*s, maxText)
	}
	o.StoppedTasks = slices.Clone(o.StoppedTasks[:min(len(o.StoppedTasks), maxStopped)])
	for i := range o.StoppedTasks {
		o.StoppedTasks[i] = clip(o.StoppedTasks[i], maxName)
	}
}

// clip cuts s to a number of bytes, between two characters.
func clip(s string, maxBytes int) string {
	const mark = "…"
	if len(s) <= maxBytes {
		return s
	}
	cut := maxBytes - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + mark
}

// Line returns a text that a sender or AWS wrote as one line of at most
// maxCharacters. White space and control characters become one space, and so do
// the characters that change the direction of writing: they can make a text look
// like another one.
func Line(s string, maxCharacters int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	characters := []rune(s)
	if len(characters) > maxCharacters {
		return string(characters[:maxCharacters-1]) + "…"
	}
	return s
}

// Ends is [Line], but leaves out the middle of a text that is too long: what ECS says of a task that
// stopped begins with ECS's word for the cause, and ends with what the registry or the network said.
func Ends(s string, maxCharacters int) string {
	end := maxCharacters / 3
	characters := []rune(Line(s, len(s)))
	if len(characters) <= maxCharacters {
		return string(characters)
	}
	return string(characters[:maxCharacters-end-1]) + "…" + string(characters[len(characters)-end:])
}

// Short returns the last part of an image reference or of a revision's ARN, which
// is enough within one service: "web@sha256:9f86d081884c", "web:12".
func Short(name string) string {
	const maxCharacters, digestCharacters = 100, 12
	name = Line(name[strings.LastIndexByte(name, '/')+1:], maxCharacters)
	if repository, digest, ok := strings.Cut(name, "@sha256:"); ok && len(digest) > digestCharacters {
		return repository + "@sha256:" + digest[:digestCharacters]
	}
	return name
}
