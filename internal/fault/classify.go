package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/smithy-go"

	"deployer/internal/iam"
)

// unknownHint is the hint of an error that the table does not hold.
const unknownHint = "the deployer does not know this error; see its message"

// Classify returns the error of an AWS call as a fault, classified by the table
// of errors. Doing is the call in gerund form with its values. An error that
// wraps a fault already is returned as it is, and nil as nil.
func Classify(doing string, err error) error {
	if err == nil || NameOf(err) != "Unknown" {
		return err
	}
	cause := Plain(err)
	var api smithy.APIError
	var network net.Error
	switch {
	case errors.As(err, &api):
		code := codeOf(api)
		return classifyCode(code, api.ErrorMessage(), doing, cause, isTransient(err))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Unavailable(errTimeout, doing, cause, "")
	case isUnreadable(err):
		return Unavailable(errUnreadable, doing, unreadable(err), notFromAWS)
	case errors.As(err, &network), isTransient(err):
		return Unavailable(errUnreachable, doing, cause, endpointHint(err))
	}
	return Misconfigured(errUnexpected, doing, cause, unknownHint)
}

// endpointHint is the hint for a connection that could not be made: the setting that sends the service's calls
// elsewhere than to AWS, "" if none does. The SDK prefers the variable of the service ("Service-specific endpoints"
// in the AWS SDKs and Tools Reference Guide).
func endpointHint(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "dial" {
		return ""
	}
	var call *smithy.OperationError
	const all = "AWS_ENDPOINT_URL"
	names := append(variablesOf(err), all)
	if errors.As(err, &call) {
		names = []string{all + "_" + strings.ReplaceAll(strings.ToUpper(call.ServiceID), " ", "_"), all}
	}
	if ignored, _ := strconv.ParseBool(os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")); ignored {
		names = nil
	}
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return name + " is " + value + ": calls go there instead of to AWS; unset it if that is wrong"
		}
	}
	if to, ok := op.Addr.(*net.TCPAddr); ok && to.IP.IsLoopback() {
		return "calls go to " + to.String() + " instead of to AWS: see endpoint_url in AWS's configuration file"
	}
	return ""
}

// variablesOf returns the variables of services that have the address of a failed request, which names no service.
func variablesOf(err error) (names []string) {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return nil
	}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "AWS_ENDPOINT_URL_") && value != "" &&
			strings.HasPrefix(failed.URL+"/", strings.TrimRight(value, "/")+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// classifyCode returns the fault for one of AWS's error codes. What AWS's message
// says about a denied request is more exact than the code's hint.
func classifyCode(code, message, doing string, cause error, transient bool) error {
	name := Name(strings.TrimSuffix(code, "Exception"))
	entry, known := table[code]
	switch {
	case transient:
		return Unavailable(name, doing, cause, "")
	case !known:
		return Misconfigured(name, doing, cause, unknownHint)
	case entry.class == rejected:
		return Rejected(name, doing, cause, entry.hint)
	}
	return Misconfigured(name, doing, cause, hintFor(message, entry.hint))
}

// unusableRole matches what ECS says of a role that its tasks cannot assume.
var unusableRole = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`unable to assume the role '(arn:[^']+)'`)
})

// hintFor returns the hint for AWS's message, or else the hint of its code.
func hintFor(message, ofCode string) string {
	if d, ok := ParseDenial(message); ok {
		return d.Advice() + d.IfStillDenied()
	}
	if m := unusableRole().FindStringSubmatch(message); m != nil {
		return "the trust policy of " + m[1] + " has to allow sts:AssumeRole to the service that uses the role " +
			"(ecs-tasks.amazonaws.com for a task), and the deployer's role iam:PassRole: " +
			iam.Identity(m[1], "iam:PassRole").String()
	}
	if strings.Contains(message, "ciphertext refers to a customer master key") {
		return table["InvalidKeyId"].hint
	}
	return ofCode
}

// codeOf returns the code under which the table holds an error. SQS answers with
// the codes of its older protocol ("AWS.SimpleQueueService.NonExistentQueue");
// the SDK has the new code only as the name of the Go type.
func codeOf(api smithy.APIError) string {
	code := api.ErrorCode()
	if _, known := table[code]; !known {
		if modelled, ok := strings.CutPrefix(fmt.Sprintf("%T", api), "*types."); ok {
			return modelled
		}
	}
	return code
}

// Denied returns AWS's message if err says that AWS denied the caller access,
// and whether it does.
func Denied(err error) (message string, denied bool) {
	var api smithy.APIError
	if errors.As(err, &api) && table[codeOf(api)].hint == allowIt {
		return api.ErrorMessage(), true
	}
	return "", false
}

// HasCode reports whether AWS answered with the given error code, such as
// "ClusterNotFoundException".
func HasCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

// Plain returns an error that AWS answered with under its code and message
// alone, without what the SDK adds (operation, status, request id). Any other
// error is returned as it is.
func Plain(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorMessage() == "" && table[api.ErrorCode()] == (entry{}) {
		return err
	}
	text := api.ErrorCode()
	if message := api.ErrorMessage(); message != "" {
		text += ": " + message
	}
	var ended *retriesEnded
	if errors.As(err, &ended) {
		text = fmt.Sprintf("%s, after %d attempts", text, ended.attempts)
	}
	return &plainError{text, err}
}

// plainError is an error under a shorter text.
type plainError struct {
	text string
	err  error
}

func (p *plainError) Error() string { return p.text }
func (p *plainError) Unwrap() error { return p.err }
