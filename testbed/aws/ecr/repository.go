package ecr

import (
	"regexp"
	"time"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// A repository is an ECR repository.
type repository struct {
	scope      api.Scope
	name       string
	mutability mutability
	scanOnPush bool
	encryption encryption
	created    time.Time
	images     []*image // in the order of their first pushes
	policyText string
	policy     *iam.Document
	lifecycle  string             // the text of its lifecycle policy
	layers     map[string][]byte  // by digest
	uploads    map[string]*upload // by upload id
}

// registryHost returns the host name of a registry.
func registryHost(scope api.Scope) string {
	suffix := ".amazonaws.com"
	if api.Partition(scope.Region) == "aws-cn" {
		suffix = ".amazonaws.com.cn"
	}
	return scope.Account + ".dkr.ecr." + scope.Region + suffix
}

func repositoryARN(scope api.Scope, name string) string { return scope.ARN("ecr", "repository/"+name) }

// An encryption is how a repository is encrypted, which cannot be changed.
type encryption struct {
	Type string `json:"encryptionType"`
	Key  string `json:"kmsKey,omitempty"`
}

func (r *repository) describe() api.Object {
	answer := api.Object{
		"repositoryArn":              repositoryARN(r.scope, r.name),
		"registryId":                 r.scope.Account,
		"repositoryName":             r.name,
		"repositoryUri":              registryHost(r.scope) + "/" + r.name,
		"createdAt":                  api.Timestamp(r.created),
		"imageScanningConfiguration": imageScanning{r.scanOnPush},
		"encryptionConfiguration":    r.encryption,
	}
	r.mutability.describe(answer)
	return answer
}

// A repositoryID is how requests name a repository.
type repositoryID struct {
	RegistryID string `json:"registryId"`
	Name       string `json:"repositoryName"`
}

// registryOf returns the registry with the id, by default the caller's.
func registryOf(r *api.Request, id string) api.Scope {
	if id == "" {
		id = r.Caller.Account
	}
	return api.Scope{Account: id, Region: r.Caller.Region}
}

// openRepository checks that the caller may carry out the operation, and returns the repository. As in AWS, a caller
// without permission does not learn whether the repository exists.
func (e *Server) openRepository(r *api.Request, id repositoryID) (*repository, *api.Error) {
	return e.openRepositoryFor(r, r.Name(), id)
}

// openRepositoryFor is openRepository for an operation that needs the permission of another.
func (e *Server) openRepositoryFor(r *api.Request, action string, id repositoryID) (*repository, *api.Error) {
	registry := registryOf(r, id.RegistryID)
	repo := e.registries[registry][id.Name]
	a := api.Access{Action: action, Resource: repositoryARN(registry, id.Name)}
	if repo != nil {
		a.Policy = repo.policy
	}
	if err := r.Authorize(a); err != nil {
		return nil, err
	}
	if repo == nil {
		return nil, repositoryNotFound(registry, id.Name)
	}
	return repo, nil
}

func repositoryNotFound(registry api.Scope, name string) *api.Error {
	return api.NewError("RepositoryNotFoundException",
		"The repository with name '%s' does not exist in the registry with id '%s'", name, registry.Account)
}

// repositoryNamePattern is that of RepositoryName in ECR's API model (botocore 1.43).
const repositoryNamePattern = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`

var repositoryNameForm = regexp.MustCompile(`^` + repositoryNamePattern + `$`)

// constraintError returns the error of ECR for a parameter that is not valid.
func constraintError(parameter, constraint string) *api.Error {
	return api.InvalidParameter("Invalid parameter at '%s' failed to satisfy constraint: '%s'", parameter, constraint)
}

type createRepositoryInput struct {
	repositoryID
	mutability
	Scanning   imageScanning `json:"imageScanningConfiguration"`
	Encryption encryption    `json:"encryptionConfiguration"`
}

func (e *Server) createRepository(r *api.Request, in createRepositoryInput) (any, *api.Error) {
	if !repositoryNameForm.MatchString(in.Name) || len(in.Name) < 2 || len(in.Name) > 256 {
		return nil, constraintError("repositoryName", "must satisfy regular expression '"+repositoryNamePattern+"'")
	}
	if in.Setting == "" {
		in.Setting = "MUTABLE"
	}
	if err := in.mutability.check(); err != nil {
		return nil, err
	}
	registry := registryOf(r, in.RegistryID)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: repositoryARN(registry, in.Name)}); err != nil {
		return nil, err
	}
	if e.registries[registry][in.Name] != nil {
		return nil, api.NewError("RepositoryAlreadyExistsException",
			"The repository with name '%s' already exists in the registry with id '%s'", in.Name, registry.Account)
	}
	repo := e.addRepository(registry, in.Name, r.Now)
	repo.mutability, repo.scanOnPush = in.mutability, in.Scanning.OnPush
	if in.Encryption.Type != "" {
		repo.encryption = in.Encryption
	}
	return api.Object{"repository": repo.describe()}, nil
}

// addRepository creates a repository with ECR's default settings, which the registry does not have.
func (e *Server) addRepository(registry api.Scope, name string, now time.Time) *repository {
	repo := &repository{scope: registry, name: name, mutability: mutability{Setting: "MUTABLE"},
		encryption: encryption{Type: "AES256"}, created: now, layers: map[string][]byte{},
		uploads: map[string]*upload{}}
	if e.registries[registry] == nil {
		e.registries[registry] = map[string]*repository{}
	}
	e.registries[registry][name] = repo
	return repo
}

type setRepositoryPolicyInput struct {
	repositoryID
	PolicyText string `json:"policyText"`
}

func (e *Server) setRepositoryPolicy(r *api.Request, in setRepositoryPolicyInput) (any, *api.Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	document, parseErr := api.ParseResourcePolicy([]byte(in.PolicyText))
	if parseErr != nil {
		return nil, constraintError("PolicyText", "Invalid repository policy provided")
	}
	repo.policyText, repo.policy = in.PolicyText, document
	return repo.describePolicy(), nil
}

func (e *Server) getRepositoryPolicy(r *api.Request, in repositoryID) (any, *api.Error) {
	repo, err := e.openPolicy(r, in)
	if err != nil {
		return nil, err
	}
	return repo.describePolicy(), nil
}

// openPolicy is openRepository for a repository that must have a policy.
func (e *Server) openPolicy(r *api.Request, in repositoryID) (*repository, *api.Error) {
	repo, err := e.openRepository(r, in)
	if err != nil {
		return nil, err
	}
	if repo.policy == nil {
		return nil, api.NewError("RepositoryPolicyNotFoundException",
			"Repository policy does not exist for the repository with name '%s' in the registry with id '%s'",
			repo.name, repo.scope.Account)
	}
	return repo, nil
}

func (r *repository) describePolicy() api.Object {
	return api.Object{"registryId": r.scope.Account, "repositoryName": r.name, "policyText": r.policyText}
}
