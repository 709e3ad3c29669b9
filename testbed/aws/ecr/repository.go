package ecr

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// A repository is an ECR repository.
type repository struct {
	scope      api.Scope
	name       string
	mutability string // MUTABLE or IMMUTABLE
	created    time.Time
	images     []*image // in the order of their first push
	policyText string
	policy     *iam.Document
	lifecycle  string            // the text of its lifecycle policy
	layers     map[string][]byte // by digest
	uploads    map[string][]byte // layers that are not whole yet, by the upload's id
}

// registryHost is the host name of the registry of an account in a region.
func registryHost(k api.Scope) string {
	suffix := ".amazonaws.com"
	if api.Partition(k.Region) == "aws-cn" {
		suffix = ".amazonaws.com.cn"
	}
	return k.Account + ".dkr.ecr." + k.Region + suffix
}

func repositoryARN(k api.Scope, name string) string { return k.ARN("ecr", "repository/"+name) }

func (r *repository) describe() api.Object {
	return api.Object{
		"repositoryArn":              repositoryARN(r.scope, r.name),
		"registryId":                 r.scope.Account,
		"repositoryName":             r.name,
		"repositoryUri":              registryHost(r.scope) + "/" + r.name,
		"createdAt":                  api.Timestamp(r.created),
		"imageTagMutability":         r.mutability,
		"imageScanningConfiguration": api.Object{"scanOnPush": false},
		"encryptionConfiguration":    api.Object{"encryptionType": "AES256"},
	}
}

// A repositoryID is how requests name a repository.
type repositoryID struct {
	RegistryID string `json:"registryId"`
	Name       string `json:"repositoryName"`
}

// registry is the registry a request means: its own, unless it says another.
func registryOf(r *api.Request, id string) api.Scope {
	if id == "" {
		id = r.Caller.Account
	}
	return api.Scope{Account: id, Region: r.Caller.Region}
}

// openRepository asks for leave for the request's action and returns the repository.
// As in AWS, who may not see a repository is not told whether it exists.
func (e *Server) openRepository(r *api.Request, id repositoryID) (*repository, *api.Error) {
	key := registryOf(r, id.RegistryID)
	repo := e.registries[key][id.Name]
	a := api.Access{Action: r.Name(), Resource: repositoryARN(key, id.Name)}
	if repo != nil {
		a.Policy = repo.policy
	}
	if err := r.Authorize(a); err != nil {
		return nil, err
	}
	if repo == nil {
		return nil, errRepositoryNotFound(key, id.Name)
	}
	return repo, nil
}

func errRepositoryNotFound(key api.Scope, name string) *api.Error {
	return api.NewError("RepositoryNotFoundException",
		"The repository with name '%s' does not exist in the registry with id '%s'", name, key.Account)
}

const repositoryNamePattern = `(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`

var repositoryNameForm = regexp.MustCompile(`^` + repositoryNamePattern + `$`)

// errConstraint is how ECR refuses the value of a parameter.
func errConstraint(parameter, constraint string) *api.Error {
	return api.InvalidParameter("Invalid parameter at '%s' failed to satisfy constraint: '%s'", parameter, constraint)
}

type createRepositoryInput struct {
	repositoryID
	ImageTagMutability string `json:"imageTagMutability"`
}

func (e *Server) createRepository(r *api.Request, in createRepositoryInput) (any, *api.Error) {
	if !repositoryNameForm.MatchString(in.Name) || len(in.Name) < 2 || len(in.Name) > 256 {
		return nil, errConstraint("repositoryName", "must satisfy regular expression '"+repositoryNamePattern+"'")
	}
	switch in.ImageTagMutability {
	case "":
		in.ImageTagMutability = "MUTABLE"
	case "MUTABLE", "IMMUTABLE":
	default:
		return nil, errConstraint("imageTagMutability", "Member must satisfy enum value set: [IMMUTABLE, MUTABLE]")
	}
	key := registryOf(r, in.RegistryID)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: repositoryARN(key, in.Name)}); err != nil {
		return nil, err
	}
	if e.registries[key][in.Name] != nil {
		return nil, api.NewError("RepositoryAlreadyExistsException",
			"The repository with name '%s' already exists in the registry with id '%s'", in.Name, key.Account)
	}
	repo := &repository{scope: key, name: in.Name, mutability: in.ImageTagMutability, created: r.Now,
		layers: map[string][]byte{}, uploads: map[string][]byte{}}
	if e.registries[key] == nil {
		e.registries[key] = map[string]*repository{}
	}
	e.registries[key][in.Name] = repo
	return api.Object{"repository": repo.describe()}, nil
}

type describeRepositoriesInput struct {
	api.Paging
	RegistryID string   `json:"registryId"`
	Names      []string `json:"repositoryNames"`
}

func (e *Server) describeRepositories(r *api.Request, in describeRepositoriesInput) (any, *api.Error) {
	key := registryOf(r, in.RegistryID)
	found := []*repository{}
	if len(in.Names) == 0 {
		if err := r.Authorize(api.Access{Action: r.Name(), Resource: repositoryARN(key, "*")}); err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(e.registries[key])) {
			found = append(found, e.registries[key][name])
		}
	}
	for _, name := range in.Names {
		repo, err := e.openRepository(r, repositoryID{in.RegistryID, name})
		if err != nil {
			return nil, err
		}
		found = append(found, repo)
	}
	found, next, err := api.Page(found, in.Paging, 100, 1000)
	if err != nil {
		return nil, err
	}
	described := []api.Object{}
	for _, repo := range found {
		described = append(described, repo.describe())
	}
	return api.WithToken(api.Object{"repositories": described}, next), nil
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
		return nil, errConstraint("PolicyText", "Invalid repository policy provided")
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

// openPolicy is openRepository for one that must have a policy.
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
