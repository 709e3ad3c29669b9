package kms

import (
	"strings"

	"deployer/testbed/aws/api"
)

// A Server is KMS in all accounts and regions. Every key exists.
type Server struct {
	backend *api.Backend
	aliases map[string]string // the ARNs of keys by the ARNs of their aliases
}

// New returns a KMS without aliases.
func New(backend *api.Backend) *Server {
	return &Server{backend: backend, aliases: map[string]string{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{"kms:DescribeKey": api.JSON(s.describeKey)}
}

// Alias gives the key with the ARN an alias, such as alias/deployer.
func (s *Server) Alias(scope api.Scope, alias, key string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.aliases[scope.ARN("kms", alias)] = key
}

type describeKeyInput struct {
	ID string `json:"KeyId"`
}

// describeKey returns the ARN of a key, which the caller names by its id, its ARN, or the name or the ARN of an alias
// (KMS API reference, "DescribeKey").
func (s *Server) describeKey(r *api.Request, in describeKeyInput) (any, *api.Error) {
	arn := in.ID
	if !strings.HasPrefix(arn, "arn:") {
		if !strings.HasPrefix(in.ID, "alias/") {
			arn = "key/" + in.ID
		}
		arn = r.Scope().ARN("kms", arn)
	}
	if _, _, resource, _ := api.SplitARN(arn); strings.HasPrefix(resource, "alias/") {
		key, ok := s.aliases[arn]
		if !ok {
			return nil, api.NewError("NotFoundException", "Alias %s is not found.", arn)
		}
		arn = key
	}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn}); err != nil {
		return nil, err
	}
	return api.Object{"KeyMetadata": api.Object{"Arn": arn, "KeyManager": "CUSTOMER", "KeyState": "Enabled"}}, nil
}
