package api

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/http"
	"strings"
)

// SessionName is the name of every session of every role.
const SessionName = "session"

// A Caller is the account or the role that signed a request, and the region it signed for.
type Caller struct {
	Account string
	Role    string // empty for the account's administrator
	Region  string
	Plain   bool // the connection was not encrypted
}

// A Signature is the content of an Authorization header (IAM user guide, "AWS Signature Version 4 for API requests").
type Signature struct {
	Caller  Caller
	Service string // the signing name, such as ecs or events
}

// ParseSignature reads the Authorization header. Signatures are not verified; a missing or malformed header is an
// error, as in AWS.
func ParseSignature(r *http.Request) (Signature, *Error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return Signature{}, missingAuthentication("Missing Authentication Token")
	}
	c, ok := parseCredential(header)
	if !ok {
		return Signature{}, missingAuthentication("Authorization header requires 'Credential' parameter, " +
			"'Signature' and 'SignedHeaders' of AWS Signature Version 4")
	}
	account, role, ok := parseAccessKey(c.key)
	if !ok {
		return Signature{}, ErrUnrecognizedClient
	}
	// The emulator has no TLS: every connection stands for an encrypted one, unless the request says so.
	plain := r.Header.Get("X-Forwarded-Proto") == "http"
	return Signature{Caller{Account: account, Role: role, Region: c.region, Plain: plain}, c.service}, nil
}

// SignedService returns the service that a request is signed for, "" if it is not signed.
func SignedService(r *http.Request) string {
	c, _ := parseCredential(r.Header.Get("Authorization"))
	return c.service
}

// A credential is the scope in an Authorization header.
type credential struct{ key, region, service string }

// The characters of the parts of an Authorization header.
const (
	digits      = "0123456789"
	lowerCase   = "abcdefghijklmnopqrstuvwxyz"
	hexadecimal = digits + "abcdef"
	nameOfScope = lowerCase + digits + "-"
	nameOfRole  = lowerCase + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + digits + "+=,.@_-"
)

// parseCredential reads a header such as "AWS4-HMAC-SHA256 Credential=KEY/20260122/us-east-1/ecs/aws4_request,
// SignedHeaders=host, Signature=0a". It reads every call, so it uses no regular expression.
func parseCredential(header string) (credential, bool) {
	algorithm, rest, _ := strings.Cut(header, " ")
	scope, rest, _ := strings.Cut(rest, ",")
	signedHeaders, signature, _ := strings.Cut(rest, ",")
	scope, hasScope := strings.CutPrefix(scope, "Credential=")
	signedHeaders, hasHeaders := strings.CutPrefix(strings.TrimLeft(signedHeaders, space), "SignedHeaders=")
	signature, hasSignature := strings.CutPrefix(strings.TrimLeft(signature, space), "Signature=")
	if algorithm != "AWS4-HMAC-SHA256" && algorithm != "AWS4-ECDSA-P256-SHA256" || !hasScope || !hasHeaders ||
		!hasSignature || signedHeaders == "" || strings.ContainsAny(signedHeaders, space) ||
		!consistsOf(signature, hexadecimal) {
		return credential{}, false
	}
	parts := strings.Split(scope, "/")
	if len(parts) != 5 || parts[0] == "" || strings.ContainsAny(parts[0], space) || len(parts[1]) != 8 ||
		!consistsOf(parts[1], digits) || !consistsOf(parts[2], nameOfScope) || !consistsOf(parts[3], nameOfScope) ||
		parts[4] != "aws4_request" {
		return credential{}, false
	}
	return credential{key: parts[0], region: parts[2], service: parts[3]}, true
}

// space is what separates the parts of an Authorization header.
const space = " \t\n\f\r"

// consistsOf reports whether a text has only these characters, and at least one.
func consistsOf(s, characters string) bool {
	for i := range len(s) {
		if strings.IndexByte(characters, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// parseAccessKey reads an access key: an account, or an account, "-" and the name of a role.
func parseAccessKey(key string) (account, role string, ok bool) {
	account, role, hasRole := strings.Cut(key, "-")
	ok = len(account) == 12 && consistsOf(account, digits) &&
		(!hasRole || len(role) <= 64 && consistsOf(role, nameOfRole))
	return account, role, ok
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
