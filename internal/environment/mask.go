package environment

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"deployer/internal/image"
)

// A file's values may be secrets in the wrong place, and messages about the file are
// kept in logs. Addresses such as webhooks are cut after their host, and what has the
// form of a token is left out.
var secretForms = sync.OnceValue(func() (f struct{ address, hook, token *regexp.Regexp }) {
	f.address = regexp.MustCompile("(?i)([a-z][a-z0-9+.-]*://)?(?:[^\\s/@\"'`]*@)?([a-z0-9.:-]+)/[^\\s\"'`,]*")
	f.hook = regexp.MustCompile(`(?i)(?:^|[./-])(?:web)?hooks?(?:[./-]|$)`)
	f.token = regexp.MustCompile(
		`(?:xox[a-z]-[A-Za-z0-9-]{8,}|gh[a-z]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|A[A-Z]IA[A-Z0-9]{16})`)
	return f
})

// Mask returns a text without what looks like a secret.
func Mask(text string) string {
	form := secretForms()
	text = form.address.ReplaceAllStringFunc(text, func(address string) string {
		m := form.address.FindStringSubmatch(address)
		if m[1] == "" && !form.hook.MatchString(address) {
			return address // a path, an ARN, or the name of an image
		}
		if _, isECR := image.ParseHost(m[2]); isECR {
			return address
		}
		return m[1] + m[2] + "/***"
	})
	return form.token.ReplaceAllString(text, "***")
}

// maxQuoted is how many bytes of a value are quoted.
const maxQuoted = 128

// quote returns a value of the file for a message: in quotes, cut, and on one line.
func quote(value string) string {
	if len(value) > maxQuoted {
		value = strings.ToValidUTF8(value[:maxQuoted], "") + "…"
	}
	return strconv.Quote(value)
}

// shown returns a key of the file for a message: as it is if it can be printed, else quoted.
func shown(key string) string {
	if q := quote(key); q[1:len(q)-1] != key {
		return q
	}
	return key
}

// Printable masks what looks like a secret in the texts of faults, and returns them. [Parse] and [Load] do so too.
func Printable(all Faults) Faults {
	for i := range all {
		all[i].What, all[i].Fix = Mask(all[i].What), Mask(all[i].Fix)
	}
	return all
}
