package outcome

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The most bytes of what others wrote that an outcome keeps: of a name, and of
// a text. They keep an outcome without its event far below what a bus takes.
const (
	mostName = 512
	mostText = 4 << 10
)

// clip cuts every text that others wrote to a length that nobody minds.
func (o *Outcome) clip() {
	for _, s := range []*string{&o.Service, &o.Cluster, &o.Tag, &o.Cause.ID, &o.Cause.Source, &o.Image.Before, &o.Image.After, &o.RolledBackTo.Image, &o.SupersededBy.EventID, &o.SupersededBy.DeploymentID} {
		*s = clip(*s, mostName)
	}
	for _, s := range []*string{&o.Cause.Actor, &o.Cause.Reason, &o.ECSReason, &o.Problem} {
		*s = clip(*s, mostText)
	}
}

// clip cuts s to a number of bytes, between two characters.
func clip(s string, most int) string {
	const mark = "…"
	if len(s) <= most {
		return s
	}
	cut := most - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + mark
}

// Line returns what others wrote as one line of at most so many characters:
// white space and control characters become spaces, and so do those that turn
// the direction of writing, for they make a text look like another.
func Line(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	if characters := []rune(s); len(characters) > most {
		return string(characters[:most-1]) + "…"
	}
	return s
}

// Short returns the last part of an image reference or a revision's ARN, which
// tells it from others of the service: "web@sha256:9f86d081884c", "web:12".
func Short(name string) string {
	name = Line(name[strings.LastIndexByte(name, '/')+1:], 100)
	if repository, digest, ok := strings.Cut(name, "@sha256:"); ok && len(digest) > 12 {
		return repository + "@sha256:" + digest[:12]
	}
	return name
}
