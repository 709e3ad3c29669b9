package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A form is the input of a call of the query protocol.
type form struct{ url.Values }

// form reads the request's body. What the emulator would not heed is refused: of
// parameters, nothing may stand there but those that are known, and what is in them.
func (r *request) form(known ...string) (form, *Error) {
	values, err := url.ParseQuery(string(r.body))
	if err != nil {
		return form{}, badRequest("MalformedQueryString", "%v", err)
	}
	for name := range values {
		root, _, _ := strings.Cut(name, ".")
		if root != "Action" && root != "Version" && !slices.Contains(known, root) {
			return form{}, badRequest("InvalidInput", "The parameter %s is not supported by the emulator.", root)
		}
	}
	return form{values}, nil
}

// members returns a list of strings.
func (f form) members(name string) []string {
	var all []string
	for n := 1; f.Has(name + ".member." + strconv.Itoa(n)); n++ {
		all = append(all, f.Get(name+".member."+strconv.Itoa(n)))
	}
	return all
}

// queryErrors are the errors that all services have, as those of the query protocol
// call them.
var queryErrors = map[string]struct {
	status int
	code   string
}{
	"AccessDeniedException":               {http.StatusForbidden, "AccessDenied"},
	"InvalidSignatureException":           {http.StatusForbidden, "SignatureDoesNotMatch"},
	"MissingAuthenticationTokenException": {http.StatusForbidden, "MissingAuthenticationToken"},
	"ServerException":                     {http.StatusInternalServerError, "InternalFailure"},
	"ServiceUnavailableException":         {http.StatusServiceUnavailable, "ServiceUnavailable"},
	"ThrottlingException":                 {http.StatusBadRequest, "Throttling"},
	"UnknownOperationException":           {http.StatusBadRequest, "InvalidAction"},
	"UnrecognizedClientException":         {http.StatusForbidden, "InvalidClientTokenId"},
}

// in is the error as the service gives it.
func (e *Error) in(service string) *Error {
	if e == nil || queries[service] == "" {
		return e
	}
	known, ok := queryErrors[e.Code]
	if !ok {
		return e
	}
	if service == "sns" && e.Code == "AccessDeniedException" {
		known.code = "AuthorizationError"
	}
	return &Error{known.status, known.code, e.Message}
}
