package notify

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"

	"deployer/internal/outcome"
)

// mostTold is how many characters of an error are told: 200 of Slack's answer,
// behind "Slack answered 500: ".
const mostTold = 220

// redact returns an error without any part of the webhook's address but its
// host. It is another error, and not one around the first: who looks into it
// finds nothing either.
func redact(err error, webhook *url.URL) error {
	if err == nil {
		return nil
	}
	var outer *url.Error // begins with the address
	if errors.As(err, &outer) {
		err = outer.Err
	}
	text := err.Error()
	for _, secret := range secrets(webhook) {
		text = strings.ReplaceAll(text, secret, "***")
	}
	// Cut only now: a secret that is cut in two is not found.
	return errors.New(strings.ToValidUTF8(outcome.Line(text, mostTold), ""))
}

// secrets returns the parts of an address that nobody may read, longest first.
func secrets(u *url.URL) (parts []string) {
	password, _ := u.User.Password()
	parts = []string{u.String(), u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery, u.Fragment, u.User.Username(), password}
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
