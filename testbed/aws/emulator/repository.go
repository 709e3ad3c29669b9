package emulator

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"deployer/internal/iam"
)

// A repository is an ECR repository.
type repository struct {
	scopeKey
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
func registryHost(k scopeKey) string {
	suffix := ".amazonaws.com"
	if partition(k.region) == "aws-cn" {
		suffix = ".amazonaws.com.cn"
	}
	return k.account + ".dkr.ecr." + k.region + suffix
}

func (k scopeKey) repositoryARN(name string) string { return k.arn("ecr", "repository/"+name) }

func (r *repository) describe() object {
	return object{
		"repositoryArn":              r.repositoryARN(r.name),
		"registryId":                 r.account,
		"repositoryName":             r.name,
		"repositoryUri":              registryHost(r.scopeKey) + "/" + r.name,
		"createdAt":                  timestamp(r.created),
		"imageTagMutability":         r.mutability,
		"imageScanningConfiguration": object{"scanOnPush": false},
		"encryptionConfiguration":    object{"encryptionType": "AES256"},
	}
}

// A repositoryID is how requests name a repository.
type repositoryID struct {
	RegistryID string `json:"registryId"`
	Name       string `json:"repositoryName"`
}

// registry is the registry a request means: its own, unless it says another.
func (r *request) registry(id string) scopeKey {
	if id == "" {
		id = r.account
	}
	return scopeKey{id, r.region}
}

// openRepository asks for leave for the request's action and returns the repository.
// As in AWS, who may not see a repository is not told whether it exists.
func (e *Emulator) openRepository(r *request, id repositoryID) (*repository, *Error) {
	key := r.registry(id.RegistryID)
	repo := e.findRepository(key, id.Name)
	a := access{action: r.name(), resource: key.repositoryARN(id.Name)}
	if repo != nil {
		a.policy = repo.policy
	}
	if err := e.authorize(r, a); err != nil {
		return nil, err
	}
	if repo == nil {
		return nil, errRepositoryNotFound(key, id.Name)
	}
	return repo, nil
}

// findRepository returns the repository, or nil.
func (e *Emulator) findRepository(key scopeKey, name string) *repository {
	s, ok := e.scopes[key]
	if !ok {
		return nil
	}
	return s.repositories[name]
}

func errRepositoryNotFound(key scopeKey, name string) *Error {
	return badRequest("RepositoryNotFoundException",
		"The repository with name '%s' does not exist in the registry with id '%s'", name, key.account)
}

const repositoryNamePattern = `(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`

var repositoryNameForm = regexp.MustCompile(`^` + repositoryNamePattern + `$`)

// errConstraint is how ECR refuses the value of a parameter.
func errConstraint(parameter, constraint string) *Error {
	return errInvalidParameter("Invalid parameter at '%s' failed to satisfy constraint: '%s'", parameter, constraint)
}

type createRepositoryInput struct {
	repositoryID
	ImageTagMutability string `json:"imageTagMutability"`
}

func (e *Emulator) createRepository(r *request, in createRepositoryInput) (any, *Error) {
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
	key := r.registry(in.RegistryID)
	if err := e.authorize(r, access{action: r.name(), resource: key.repositoryARN(in.Name)}); err != nil {
		return nil, err
	}
	s := e.scope(key.account, key.region)
	if s.repositories[in.Name] != nil {
		return nil, badRequest("RepositoryAlreadyExistsException",
			"The repository with name '%s' already exists in the registry with id '%s'", in.Name, key.account)
	}
	repo := &repository{scopeKey: key, name: in.Name, mutability: in.ImageTagMutability, created: r.now,
		layers: map[string][]byte{}, uploads: map[string][]byte{}}
	s.repositories[in.Name] = repo
	return object{"repository": repo.describe()}, nil
}

type describeRepositoriesInput struct {
	paging
	RegistryID string   `json:"registryId"`
	Names      []string `json:"repositoryNames"`
}

func (e *Emulator) describeRepositories(r *request, in describeRepositoriesInput) (any, *Error) {
	key := r.registry(in.RegistryID)
	found := []*repository{}
	if len(in.Names) == 0 {
		if err := e.authorize(r, access{action: r.name(), resource: key.repositoryARN("*")}); err != nil {
			return nil, err
		}
		repositories := e.scope(key.account, key.region).repositories
		for _, name := range slices.Sorted(maps.Keys(repositories)) {
			found = append(found, repositories[name])
		}
	}
	for _, name := range in.Names {
		repo, err := e.openRepository(r, repositoryID{in.RegistryID, name})
		if err != nil {
			return nil, err
		}
		found = append(found, repo)
	}
	found, next, err := page(found, in.paging, 100, 1000)
	if err != nil {
		return nil, err
	}
	described := []object{}
	for _, repo := range found {
		described = append(described, repo.describe())
	}
	return withToken(object{"repositories": described}, next), nil
}

// withToken adds the token of the next page to an answer, if there is a next page.
func withToken(answer object, next string) object {
	if next != "" {
		answer["nextToken"] = next
	}
	return answer
}

type setRepositoryPolicyInput struct {
	repositoryID
	PolicyText string `json:"policyText"`
}

func (e *Emulator) setRepositoryPolicy(r *request, in setRepositoryPolicyInput) (any, *Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	document, parseErr := iam.Parse([]byte(in.PolicyText))
	if parseErr != nil || !namesPrincipals(in.PolicyText) {
		return nil, errConstraint("PolicyText", "Invalid repository policy provided")
	}
	repo.policyText, repo.policy = in.PolicyText, document
	return repo.describePolicy(), nil
}

func (e *Emulator) getRepositoryPolicy(r *request, in repositoryID) (any, *Error) {
	repo, err := e.openPolicy(r, in)
	if err != nil {
		return nil, err
	}
	return repo.describePolicy(), nil
}

func (e *Emulator) deleteRepositoryPolicy(r *request, in repositoryID) (any, *Error) {
	repo, err := e.openPolicy(r, in)
	if err != nil {
		return nil, err
	}
	gone := repo.describePolicy()
	repo.policyText, repo.policy = "", nil
	return gone, nil
}

// openPolicy is openRepository for one that must have a policy.
func (e *Emulator) openPolicy(r *request, in repositoryID) (*repository, *Error) {
	repo, err := e.openRepository(r, in)
	if err != nil {
		return nil, err
	}
	if repo.policy == nil {
		return nil, badRequest("RepositoryPolicyNotFoundException",
			"Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", repo.name, repo.account)
	}
	return repo, nil
}

func (r *repository) describePolicy() object {
	return object{"registryId": r.account, "repositoryName": r.name, "policyText": r.policyText}
}
