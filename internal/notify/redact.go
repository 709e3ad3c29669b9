package notify

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"

	"deployer/internal/outcome"
)

// maxErrorText is how many characters of an error are kept: the start of an
// answer with "Slack answered 500: " before it.
const maxErrorText = 220

// redact returns an error without any part of a webhook's address but its host.
// The error does not wrap err, for that would still hold the address.
func redact(err error, address *url.URL) error {
	if err == nil {
		return nil
	}
	var outer *url.Error // its text begins with the address
	if errors.As(err, &outer) {
		err = outer.Err
	}
	text := err.Error()
	for _, secret := range secrets(address) {
		text = strings.ReplaceAll(text, secret, "***")
	}
	// Cut last: a secret that is cut in two would not be replaced.
	return errors.New(strings.ToValidUTF8(outcome.Line(text, maxErrorText), ""))
}

// secrets returns the parts of an address that must stay secret, longest first.
func secrets(u *url.URL) (parts []string) {
	password, _ := u.User.Password()
	parts = []string{
		u.String(), u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery, u.Fragment, u.User.Username(), password,
	}
	for _, path := range []string{u.EscapedPath(), u.Path} {
		parts = append(parts, strings.Split(path, "/")...)
	}
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return len(s) < 4 })
	slices.SortFunc(parts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return slices.Compact(parts)
}
