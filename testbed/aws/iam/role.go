package iam

import (
	"encoding/xml"
	"net/http"

	"deployer/testbed/aws/api"
)

// createRole creates a role without policies in the caller's account (IAM API reference, "CreateRole"). Its trust
// policy is not emulated.
func (s *Server) createRole(r *api.Request) (any, *api.Error) {
	form, err := r.Form("RoleName", "AssumeRolePolicyDocument")
	if err != nil {
		return nil, err
	}
	name := form.Get("RoleName")
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: r.Scope().RoleARN(name)}); err != nil {
		return nil, err
	}
	key := roleKey{r.Caller.Account, name}
	if _, known := s.roles[key]; known {
		return nil, &api.Error{Status: http.StatusConflict, Code: "EntityAlreadyExists",
			Message: "Role with name " + name + " already exists."}
	}
	s.roles[key] = nil
	return struct {
		XMLName xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ CreateRoleResponse"`
		Role    role     `xml:"CreateRoleResult>Role"`
	}{Role: role{"/", name, api.RoleID(key.account, name), r.Scope().RoleARN(name)}}, nil
}

// role is a role in an answer.
type role struct {
	Path     string
	RoleName string
	RoleID   string `xml:"RoleId"`
	ARN      string `xml:"Arn"`
}

// getRole describes a role of the caller's account (IAM API reference, "GetRole").
func (s *Server) getRole(r *api.Request) (any, *api.Error) {
	form, err := r.Form("RoleName")
	if err != nil {
		return nil, err
	}
	name, account := form.Get("RoleName"), r.Caller.Account
	arn := r.Scope().RoleARN(name)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn}); err != nil {
		return nil, err
	}
	if _, err := s.findRole(r, name); err != nil {
		return nil, err
	}
	return struct {
		XMLName xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ GetRoleResponse"`
		Role    role     `xml:"GetRoleResult>Role"`
	}{Role: role{"/", name, api.RoleID(account, name), arn}}, nil
}
