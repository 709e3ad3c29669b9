package signed

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// failure returns the error in an answer of any of the protocols, or of a proxy that
// answers in none. If such an answer is not to be taken for AWS's, it is unreadable.
func (c Client) failure(r request, answer *http.Response, text []byte) error {
	e := apiError(answer.Header.Get("X-Amzn-ErrorType"), text)
	switch {
	case e != nil:
	case answer.StatusCode >= http.StatusInternalServerError:
		e = &smithy.GenericAPIError{Code: "ServiceUnavailable"}
	case r.strict && len(text) > 0 && !json.Valid(text):
		return unreadable(answer, errors.New("no error of AWS"))
	default:
		e = &smithy.GenericAPIError{Code: fmt.Sprintf("HTTP%d", answer.StatusCode)}
	}
	if ahead, off := c.clock(answer); off && clockCodes[e.Code] {
		return &clockError{e, ahead}
	}
	if answer.StatusCode >= http.StatusInternalServerError { // transient, whatever its code
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: e}
	}
	return e
}

// apiError returns the error in the text of an answer, nil if there is none. Named is the
// header in which the REST protocol names the error, with an address after a colon
// ("Operation error serialization" of Smithy's AWS restJson1).
func apiError(named string, text []byte) *smithy.GenericAPIError {
	var j struct {
		Type    string `json:"__type"`
		Message string
	}
	var x struct {
		Error struct{ Code, Message string }
	}
	switch {
	case named != "" && json.Unmarshal(text, &j) == nil:
		code, _, _ := strings.Cut(named, ":")
		return &smithy.GenericAPIError{Code: code, Message: j.Message}
	case json.Unmarshal(text, &j) == nil && j.Type != "":
		return &smithy.GenericAPIError{Code: j.Type[strings.LastIndexByte(j.Type, '#')+1:], Message: j.Message}
	case xml.Unmarshal(text, &x) == nil && x.Error.Code != "":
		return &smithy.GenericAPIError{Code: x.Error.Code, Message: x.Error.Message}
	}
	return nil
}

// unreadable returns the error of an answer that is not one of AWS's, as the SDK reports
// it: see package fault.
func unreadable(answer *http.Response, err error) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: err}
}

// maxSkew is how far this machine's clock may be off before the SDK's clients, and this
// one, sign with AWS's (skewThreshold in the SDK's package aws/retry).
const maxSkew = 4 * time.Minute

// clockCodes are the errors that a wrong clock can cause (clockSkewCodes, ibid.).
var clockCodes = map[string]bool{"InvalidSignatureException": true, "SignatureDoesNotMatch": true,
	"AuthFailure": true, "RequestTimeTooSkewed": true, "AccessDeniedException": true}

// clockError is an error that a wrong clock may have caused.
type clockError struct {
	error
	ahead time.Duration // of AWS's clock
}

func (e *clockError) Unwrap() error { return e.error }

// now returns the time by AWS's clock, as far as it is known.
func (c Client) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// clock returns how much AWS's clock is ahead of this machine's, by an answer's date, if
// the request was signed with a time that is far from it.
func (c Client) clock(answer *http.Response) (ahead time.Duration, off bool) {
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return time.Until(date), date.Sub(c.now()).Abs() > maxSkew
}

// corrected reports whether an error may be due to a wrong clock. Calls are signed with
// AWS's from now on.
func (c Client) corrected(err error) bool {
	var wrong *clockError
	if !errors.As(err, &wrong) {
		return false
	}
	c.ahead.Store(int64(wrong.ahead))
	return true
}
