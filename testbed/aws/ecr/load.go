package ecr

import (
	"errors"

	"deployer/testbed/aws/api"
)

// Settings are a repository as a CloudFormation template describes it.
type Settings struct {
	Name, Mutability  string
	Exclusions        []string // filters of tags with the opposite mutability
	ScanOnPush        bool
	KMSKey            string // "" for a key of S3's
	Policy, Lifecycle string // "" for none
}

// Load creates a repository, or changes its settings if the registry has it. As in AWS, the encryption of a repository
// that exists cannot be changed.
func (e *Server) Load(registry api.Scope, s Settings) error {
	m := mutability{Setting: s.Mutability}
	for _, value := range s.Exclusions {
		m.Filters = append(m.Filters, exclusionFilter{"WILDCARD", value})
	}
	if err := m.check(); err != nil {
		return err
	}
	if s.Lifecycle != "" {
		if err := checkLifecycle(s.Lifecycle); err != nil {
			return err
		}
	}
	if !repositoryNameForm.MatchString(s.Name) {
		return constraintError("repositoryName", "must satisfy regular expression '"+repositoryNamePattern+"'")
	}
	wanted := encryption{Type: "AES256"}
	if s.KMSKey != "" {
		wanted = encryption{"KMS", s.KMSKey}
	}
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	repo := e.registries[registry][s.Name]
	if repo == nil {
		repo = e.addRepository(registry, s.Name, e.backend.Clock())
		repo.encryption = wanted
	}
	if repo.encryption != wanted {
		return errors.New("CloudFormation cannot update a stack when a custom-named resource requires replacing")
	}
	repo.mutability, repo.scanOnPush, repo.lifecycle = m, s.ScanOnPush, s.Lifecycle
	repo.policyText, repo.policy = s.Policy, nil
	if s.Policy != "" {
		var err error
		if repo.policy, err = api.ParseResourcePolicy([]byte(s.Policy)); err != nil {
			return err
		}
	}
	return nil
}
