// Package iam emulates the part of AWS IAM that decides: identity policies of roles, their evaluation together with
// resource policies, and SimulatePrincipalPolicy.
package iam

import (
	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// A Server is AWS IAM, and of AWS Organizations which accounts belong together. It is the [api.Authorizer] of all
// services.
type Server struct {
	backend       *api.Backend
	roles         map[roleKey][]*iam.Document // identity policies
	organizations map[string]string           // ids by account
}

type roleKey struct{ account, role string }

// New returns an IAM without roles.
func New(backend *api.Backend) *Server {
	return &Server{backend: backend, roles: map[roleKey][]*iam.Document{}, organizations: map[string]string{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{
		"iam:GetRole":                 s.getRole,
		"iam:SimulatePrincipalPolicy": s.simulatePrincipalPolicy,
	}
}

// SetRolePolicy replaces the identity policies of a role. A role without policies may do nothing.
func (s *Server) SetRolePolicy(account, role string, documents ...*iam.Document) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.roles[roleKey{account, role}] = documents
}

// SetOrganization makes the accounts members of one organization, which is the condition key aws:PrincipalOrgID.
func (s *Server) SetOrganization(id string, accounts ...string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	for _, account := range accounts {
		s.organizations[account] = id
	}
}
