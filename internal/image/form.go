package image

import "strings"

// The forms of names are checked by hand: regular expressions would be compiled at each
// cold start of the function.
const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
	hex    = digits + "abcdef"
)

// only reports whether s is not empty and has no other characters than those of chars.
func only(s, chars string) bool { return s != "" && trimLeft(s, chars) == "" }

// trimLeft is strings.TrimLeft for ASCII characters. That makes a set of them for each call, which costs more than the
// search: images are read again and again.
func trimLeft(s, chars string) string {
	for i := range len(s) {
		if strings.IndexByte(chars, s[i]) < 0 {
			return s[i:]
		}
	}
	return ""
}

// ValidTag reports whether s can be a tag of an image in ECR.
func ValidTag(s string) bool {
	return only(s, upper+lower+digits+"._-") && len(s) <= 128 && s[0] != '.' && s[0] != '-'
}

// ValidDigest reports whether s is a SHA-256 digest.
func ValidDigest(s string) bool {
	sum, ok := strings.CutPrefix(s, "sha256:")
	return ok && len(sum) == 64 && only(sum, hex)
}

// ValidRepository reports whether s can be the name of a repository: parts of lower-case
// letters and digits, which one dot, one or two underscores, or any number of hyphens
// separate, and slashes between such names.
func ValidRepository(s string) bool {
	if len(s) > 256 {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		for rest := part; ; {
			after := trimLeft(rest, lower+digits)
			if len(after) == len(rest) {
				return false // it begins with a separator, or ends with one
			}
			if after == "" {
				break
			}
			rest = trimLeft(after, "._-")
			switch separator := after[:len(after)-len(rest)]; {
			case separator == ".", separator == "_", separator == "__", only(separator, "-"):
			default:
				return false
			}
		}
	}
	return true
}

// validHost reports whether s can be the host of an image reference, with or without a port.
func validHost(s string) bool {
	name, port, hasPort := strings.Cut(s, ":")
	if hasPort && (!only(port, digits) || len(port) > 5) {
		return false
	}
	const alphanumeric = upper + lower + digits
	return only(name, alphanumeric+".-") && only(name[:1], alphanumeric) && only(name[len(name)-1:], alphanumeric)
}

// IsSignature reports whether a tag is that of a signature, an attestation or a bill of
// materials of another image, as cosign stores them, and not of an image that can run.
func IsSignature(tag string) bool {
	rest, ok := strings.CutPrefix(tag, "sha256-")
	sum, kind, _ := strings.Cut(rest, ".")
	return ok && len(sum) == 64 && only(sum, hex) && (kind == "sig" || kind == "att" || kind == "sbom")
}

// ValidAccountID reports whether s is an AWS account id: 12 digits.
func ValidAccountID(s string) bool { return len(s) == 12 && only(s, digits) }

// ValidRegion reports whether s has the form of a region's name, such as "eu-central-1":
// words between hyphens, of which the first has two letters or more, and a number.
func ValidRegion(s string) bool {
	words := strings.Split(s, "-")
	if len(words) < 3 || len(words[0]) < 2 {
		return false
	}
	last := len(words) - 1
	for _, word := range words[:last] {
		if !only(word, lower) {
			return false
		}
	}
	return only(words[last], digits)
}
