package api

import "deployer/internal/iam"

// RequestTagPrefix begins the condition keys of the tags that a request sends (IAM user guide, "Controlling access to
// AWS resources using tags").
const RequestTagPrefix = "aws:RequestTag/"

// An Access is one permission that a call needs.
type Access struct {
	Action   string
	Resource string            // an ARN, or "*" for an action without resources
	Context  map[string]string // condition keys besides the global ones
	Policy   *iam.Document     // the policy of the resource, nil if it has none
}

// An Authorizer decides whether a caller has a permission.
type Authorizer interface {
	Authorize(Caller, Access) *Error
}

// Authorize checks that the caller has a permission, and records the resource.
func (r *Request) Authorize(a Access) *Error {
	r.Resources = append(r.Resources, a.Resource)
	return r.IAM.Authorize(r.Caller, a)
}
