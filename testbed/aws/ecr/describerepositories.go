package ecr

import (
	"maps"
	"slices"

	"deployer/testbed/aws/api"
)

type describeRepositoriesInput struct {
	api.Paging
	RegistryID string   `json:"registryId"`
	Names      []string `json:"repositoryNames"`
}

// describeRepositories describes the repositories with the names, or all of the registry (ECR API reference,
// "DescribeRepositories": up to 100 names; 100 in a page).
func (e *Server) describeRepositories(r *api.Request, in describeRepositoriesInput) (any, *api.Error) {
	if len(in.Names) > 100 {
		return nil, constraintError("repositoryNames", "Member must have length less than or equal to 100")
	}
	names := in.Names
	if len(names) == 0 {
		registry := registryOf(r, in.RegistryID)
		if err := r.Authorize(api.Access{Action: r.Name(), Resource: repositoryARN(registry, "*")}); err != nil {
			return nil, err
		}
		names = slices.Sorted(maps.Keys(e.registries[registry]))
	}
	names, next, err := api.Page(names, in.Paging, 100, 1000)
	if err != nil {
		return nil, err
	}
	described := []api.Object{}
	for _, name := range names {
		repo, err := e.openRepository(r, repositoryID{in.RegistryID, name})
		if err != nil {
			return nil, err
		}
		described = append(described, repo.describe())
	}
	return api.WithToken(api.Object{"repositories": described}, next), nil
}
