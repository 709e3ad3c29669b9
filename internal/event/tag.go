package event

import (
	"strings"

	"deployer/internal/image"
)

// CheckTag returns what is wrong with a tag that a person or a script asks to
// deploy, or "". It rejects more than ECR does: a tag that ends in "-" usually
// comes from a variable that was empty.
func CheckTag(tag string) string {
	switch {
	case tag == "":
		return "the tag is empty; did a variable expand to nothing?"
	case strings.HasPrefix(tag, "sha256:"):
		return "tag " + quote(tag) + " is a digest; name a tag"
	case strings.ContainsAny(tag, "/:"):
		return "tag " + quote(tag) + ` has a "/" or ":"; name the tag alone, without repository` + meantTag(tag)
	case strings.ContainsAny(tag, "${}"):
		return "tag " + quote(tag) + " contains a variable that was not expanded"
	case image.ValidTag(strings.TrimSpace(tag)) && strings.TrimSpace(tag) != tag:
		return "tag " + quote(tag) + " has white space around it" + meantTag(tag)
	case !image.ValidTag(tag):
		return "tag " + quote(tag) +
			" is not an image tag: it has at most 128 letters, digits, dots, dashes and underscores," +
			" and starts with a letter, digit or underscore"
	case strings.HasSuffix(tag, "-"):
		return "tag " + quote(tag) + ` ends in "-"; did the commit variable expand?`
	case image.IsSignature(tag):
		return "tag " + quote(tag) + " is a signature or attestation, not an image that can run"
	}
	return ""
}

// meantTag returns the end of a message about an invalid tag, with the tag that was probably
// meant: that of an image reference, or of a Git reference; "" if it is not known.
func meantTag(tag string) string {
	meant, _, _ := strings.Cut(strings.TrimSpace(tag), "@")
	meant, isGit := strings.CutPrefix(meant, "refs/tags/")
	name := meant[strings.LastIndexByte(meant, '/')+1:]
	if _, after, ok := strings.Cut(name, ":"); ok && !isGit {
		meant = after
	}
	if !image.ValidTag(meant) || strings.HasSuffix(meant, "-") || image.IsSignature(meant) {
		return ""
	}
	return ": " + quote(meant)
}
