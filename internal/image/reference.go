package image

import (
	"errors"
	"fmt"
	"strings"
)

// Reference is the name of a container image in a task definition:
// [host/]repository[:tag][@digest]. See ContainerDefinition.image in the Amazon ECS
// API reference.
type Reference struct {
	Host       string // with the port if there is one; "" for short names of Docker Hub
	Repository string
	Tag        string // "" if there is none
	Digest     string // "sha256:" and 64 hex digits, or ""
}

// ErrReference is the error that [ParseReference] wraps: the text is not an image reference.
var ErrReference = errors.New("not an image reference")

// ReferenceError is the error of [ParseReference].
type ReferenceError struct {
	Text string // at most 128 bytes of it
	Part string // the invalid part, such as `"" is not a tag`
}

func (e *ReferenceError) Error() string {
	return fmt.Sprintf("%s: %q: %s", ErrReference, e.Text, e.Part)
}

func (e *ReferenceError) Unwrap() error { return ErrReference }

// ParseReference parses an image reference. String returns the same text again. The
// error wraps [ErrReference] and names the invalid part.
func ParseReference(s string) (Reference, error) {
	var r Reference
	rest, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest && !ValidDigest(digest) {
		return Reference{}, &ReferenceError{shorten(s), "the digest is not sha256: and 64 hex digits"}
	}
	r.Digest = digest
	if first, path, ok := strings.Cut(rest, "/"); ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		if !validHost(first) {
			return Reference{}, wrongPart(s, first, "host")
		}
		r.Host, rest = first, path
	}
	repository, tag, hasTag := strings.Cut(rest, ":")
	if hasTag && !ValidTag(tag) {
		return Reference{}, wrongPart(s, tag, "tag")
	}
	r.Tag = tag
	if !ValidRepository(repository) {
		return Reference{}, wrongPart(s, repository, "repository")
	}
	r.Repository = repository
	return r, nil
}

// wrongPart returns the error for a part of s that is not what it has to be.
func wrongPart(s, part, noun string) error {
	return &ReferenceError{shorten(s), fmt.Sprintf("%q is not a %s", shorten(part), noun)}
}

// String returns the reference in the form of a task definition.
func (r Reference) String() string {
	s := r.Repository
	if r.Host != "" {
		s = r.Host + "/" + s
	}
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// Registry returns the ECR registry of the reference, and whether it is in one.
func (r Reference) Registry() (Registry, bool) { return ParseHost(r.Host) }

// shorten cuts s to 128 bytes for a message.
func shorten(s string) string {
	if len(s) > 128 {
		return s[:128] + "…"
	}
	return s
}
