package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Form is the input of a call of the query protocol.
type Form struct{ url.Values }

// Form reads the body of a request. A parameter that is not among the known ones is an error, so that the emulator
// ignores none that matters.
func (r *Request) Form(known ...string) (Form, *Error) {
	values, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return Form{}, NewError("MalformedQueryString", "%v", err)
	}
	for name := range values {
		root, _, _ := strings.Cut(name, ".")
		if root != "Action" && root != "Version" && !slices.Contains(known, root) {
			return Form{}, NewError("InvalidInput", "The parameter %s is not supported by the emulator.", root)
		}
	}
	return Form{values}, nil
}

// Members returns a list of strings.
func (f Form) Members(name string) []string {
	var all []string
	for n := 1; f.Has(name + ".member." + strconv.Itoa(n)); n++ {
		all = append(all, f.Get(name+".member."+strconv.Itoa(n)))
	}
	return all
}
