package api

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/http"
	"regexp"
)

// SessionName is the name of every session of every role.
const SessionName = "session"

// A Caller is the account or the role that signed a request, and the region it signed for.
type Caller struct {
	Account string
	Role    string // empty for the account's administrator
	Region  string
}

// A Signature is the content of an Authorization header (IAM user guide, "AWS Signature Version 4 for API requests").
type Signature struct {
	Caller  Caller
	Service string // the signing name, such as ecs or events
}

var (
	credentialForm = regexp.MustCompile(`^AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256) ` +
		`Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,\s*` +
		`SignedHeaders=[^,\s]+,\s*Signature=[0-9a-f]+$`)
	accessKeyForm = regexp.MustCompile(`^(\d{12})(?:-([A-Za-z0-9+=,.@_-]{1,64}))?$`)
)

// ParseSignature reads the Authorization header. Signatures are not verified; a missing or malformed header is an
// error, as in AWS.
func ParseSignature(r *http.Request) (Signature, *Error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return Signature{}, missingAuthentication("Missing Authentication Token")
	}
	scope := credentialForm.FindStringSubmatch(header)
	if scope == nil {
		return Signature{}, missingAuthentication("Authorization header requires 'Credential' parameter, " +
			"'Signature' and 'SignedHeaders' of AWS Signature Version 4")
	}
	key := accessKeyForm.FindStringSubmatch(scope[1])
	if key == nil {
		return Signature{}, ErrUnrecognizedClient
	}
	return Signature{Caller{Account: key[1], Role: key[2], Region: scope[2]}, scope[3]}, nil
}

// SignedService returns the service that a request is signed for, "" if it is not signed.
func SignedService(r *http.Request) string {
	scope := credentialForm.FindStringSubmatch(r.Header.Get("Authorization"))
	if scope != nil {
		return scope[3]
	}
	return ""
}

// Scope returns the caller's account in the region that it signed for.
func (c Caller) Scope() Scope { return Scope{Account: c.Account, Region: c.Region} }

// Principal returns the ARN that policies know the caller by.
func (c Caller) Principal() string {
	if c.Role == "" {
		return fmt.Sprintf("arn:%s:iam::%s:root", Partition(c.Region), c.Account)
	}
	return c.Scope().RoleARN(c.Role)
}

// RoleID returns the unique id of a role (IAM user guide, "IAM identifiers"). In AWS, a role that is created again
// under its name gets another.
func RoleID(account, role string) string {
	sum := sha256.Sum256([]byte(account + "/" + role))
	return "AROA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// UserID returns the id that STS and SQS know the caller by: the account for its administrator, else the role's id and
// the session (STS API reference, "GetCallerIdentity"; SQS API reference, "ReceiveMessage").
func (c Caller) UserID() string {
	if c.Role == "" {
		return c.Account
	}
	return RoleID(c.Account, c.Role) + ":" + SessionName
}

// ARN returns the ARN that STS and error messages call the caller by.
func (c Caller) ARN() string {
	if c.Role == "" {
		return c.Principal()
	}
	return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", Partition(c.Region), c.Account, c.Role, SessionName)
}
