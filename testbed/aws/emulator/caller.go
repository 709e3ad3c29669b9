package emulator

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// sessionName is the name of every session of every role.
const sessionName = "session"

// A caller is who signed a request, and for which service and region.
type caller struct {
	account string
	role    string // empty for the account's administrator
	region  string
	service string // the signing name, such as ecs or events
}

var (
	credentialForm = regexp.MustCompile(`^AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256) Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,\s*SignedHeaders=[^,\s]+,\s*Signature=[0-9a-f]+$`)
	accessKeyForm  = regexp.MustCompile(`^(\d{12})(?:-([A-Za-z0-9+=,.@_-]{1,64}))?$`)
)

// parseCaller reads the caller from the request's Authorization header.
func parseCaller(r *http.Request) (caller, *Error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return caller{}, errMissingAuthentication("Missing Authentication Token")
	}
	scope := credentialForm.FindStringSubmatch(header)
	if scope == nil {
		return caller{}, errMissingAuthentication("Authorization header requires 'Credential' parameter, 'Signature' and 'SignedHeaders' of AWS Signature Version 4")
	}
	key := accessKeyForm.FindStringSubmatch(scope[1])
	if key == nil {
		return caller{}, errUnrecognizedClient()
	}
	return caller{account: key[1], role: key[2], region: scope[2], service: scope[3]}, nil
}

// principal is the ARN that policies know the caller by.
func (c caller) principal() string {
	if c.role == "" {
		return fmt.Sprintf("arn:%s:iam::%s:root", partition(c.region), c.account)
	}
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", partition(c.region), c.account, c.role)
}

// arn is the ARN that STS and error messages call the caller by.
func (c caller) arn() string {
	if c.role == "" {
		return c.principal()
	}
	return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", partition(c.region), c.account, c.role, sessionName)
}

// partition is the partition a region belongs to.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// arn is the ARN of a resource of the scope.
func (k scopeKey) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", partition(k.region), service, k.region, k.account, resource)
}

// splitARN returns the service, the scope and the resource of an ARN.
func splitARN(arn string) (service string, key scopeKey, resource string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return "", scopeKey{}, "", false
	}
	return parts[2], scopeKey{account: parts[4], region: parts[3]}, parts[5], true
}
