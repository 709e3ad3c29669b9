package iam

import (
	"encoding/xml"

	"deployer/testbed/aws/api"
)

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
	type role struct {
		Path     string
		RoleName string
		RoleID   string `xml:"RoleId"`
		ARN      string `xml:"Arn"`
	}
	return struct {
		XMLName xml.Name `xml:"https://iam.amazonaws.com/doc/2010-05-08/ GetRoleResponse"`
		Role    role     `xml:"GetRoleResult>Role"`
	}{Role: role{"/", name, api.RoleID(account, name), arn}}, nil
}
