// Package iam emulates the part of AWS IAM that decides: identity policies of roles, their evaluation together with
// resource policies, and SimulatePrincipalPolicy.
package iam

import (
	"time"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// A Server is AWS IAM, and of AWS Organizations which accounts belong together. It is the [api.Authorizer] of all
// services.
type Server struct {
	backend       *api.Backend
	roles         map[roleKey][]*iam.Document // identity policies
	inline        map[policyKey]*iam.Document // further ones, which PutRolePolicy added
	trust         map[roleKey]*iam.Document   // who may assume a role by AssumeRoleWithWebIdentity
	organizations map[string]string           // ids by account
	observe       func(Check)                 // nil if no one asks
}

// A Check is one decision about a permission.
type Check struct {
	Request iam.Request
	Allowed bool
}

// sessionTime is how long a session of a role lasts by default.
const sessionTime = time.Hour

type roleKey struct{ account, role string }

// New returns an IAM without roles.
func New(backend *api.Backend) *Server {
	return &Server{backend: backend, roles: map[roleKey][]*iam.Document{}, inline: map[policyKey]*iam.Document{},
		trust: map[roleKey]*iam.Document{}, organizations: map[string]string{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{
		"iam:DeleteRolePolicy":        s.deleteRolePolicy,
		"iam:CreateRole":              s.createRole,
		"iam:GetRole":                 s.getRole,
		"iam:PutRolePolicy":           s.putRolePolicy,
		"iam:SimulatePrincipalPolicy": s.simulatePrincipalPolicy,

		"sts:AssumeRoleWithWebIdentity": s.assumeRoleWithWebIdentity,
	}
}

// SetRolePolicy replaces the identity policies of a role. A role without policies may do nothing.
func (s *Server) SetRolePolicy(account, role string, documents ...*iam.Document) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.roles[roleKey{account, role}] = documents
}

// SetTrust replaces the policy that says which web identities may assume a role.
func (s *Server) SetTrust(account, role string, document *iam.Document) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.trust[roleKey{account, role}] = document
}

// Observe makes f hear of every decision, with the lock held.
func (s *Server) Observe(f func(Check)) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.observe = f
}

func (s *Server) note(request iam.Request, allowed bool) {
	if s.observe != nil {
		s.observe(Check{request, allowed})
	}
}

// SetOrganization makes the accounts members of one organization, which is the condition key aws:PrincipalOrgID.
func (s *Server) SetOrganization(id string, accounts ...string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	for _, account := range accounts {
		s.organizations[account] = id
	}
}
