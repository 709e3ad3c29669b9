package ecr

import (
	"slices"

	"deployer/testbed/aws/api"
)

// A scanning is the scanning configuration of a registry (ECR API reference, RegistryScanningConfiguration).
type scanning struct {
	Type  string         `json:"scanType"`
	Rules []scanningRule `json:"rules"`
}

type scanningRule struct {
	Frequency string           `json:"scanFrequency"`
	Filters   []scanningFilter `json:"repositoryFilters"`
}

type scanningFilter struct {
	Value string `json:"filter"`
	Type  string `json:"filterType"`
}

func (e *Server) putRegistryScanningConfiguration(r *api.Request, in scanning) (any, *api.Error) {
	registry := registryOf(r, "")
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	if in.Type == "" {
		in.Type = "BASIC"
	}
	e.scanning[registry] = in
	return api.Object{"registryScanningConfiguration": in}, nil
}

type imageScanning struct {
	OnPush bool `json:"scanOnPush"`
}

type putImageScanningConfigurationInput struct {
	repositoryID
	Scanning imageScanning `json:"imageScanningConfiguration"`
}

func (e *Server) putImageScanningConfiguration(
	r *api.Request, in putImageScanningConfigurationInput,
) (any, *api.Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	repo.scanOnPush = in.Scanning.OnPush
	return api.Object{"registryId": repo.scope.Account, "repositoryName": repo.name,
		"imageScanningConfiguration": in.Scanning}, nil
}

type batchGetScanningInput struct {
	Names []string `json:"repositoryNames"`
}

// batchGetRepositoryScanningConfiguration answers for repositories of the caller's own registry: the call has no
// registryId.
func (e *Server) batchGetRepositoryScanningConfiguration(
	r *api.Request, in batchGetScanningInput,
) (any, *api.Error) {
	if len(in.Names) < 1 || len(in.Names) > 25 {
		return nil, constraintError("repositoryNames", "Member must have length between 1 and 25")
	}
	configurations, failures := []api.Object{}, []api.Object{}
	for _, name := range in.Names {
		repo, err := e.openRepository(r, repositoryID{Name: name})
		switch {
		case err != nil && err.Code == "RepositoryNotFoundException":
			failures = append(failures, api.Object{"repositoryName": name, "failureCode": "REPOSITORY_NOT_FOUND",
				"failureReason": "repository not found"})
		case err != nil:
			return nil, err
		default:
			configurations = append(configurations, e.scanningOf(repo))
		}
	}
	return api.Object{"scanningConfigurations": configurations, "failures": failures}, nil
}

// scanningOf returns what applies to a repository: a rule of its registry, else its own setting (ECR user guide, "Image
// scanning": the setting of a repository is deprecated, and has no effect once the registry has enhanced scanning).
func (e *Server) scanningOf(repo *repository) api.Object {
	registry := e.scanning[repo.scope]
	frequency, applied := "MANUAL", []scanningFilter{}
	if repo.scanOnPush && registry.Type != "ENHANCED" {
		frequency = "SCAN_ON_PUSH"
	}
	for _, rule := range registry.Rules {
		i := slices.IndexFunc(rule.Filters, func(f scanningFilter) bool { return wildcard(f.Value, repo.name) })
		if i >= 0 {
			frequency, applied = rule.Frequency, []scanningFilter{rule.Filters[i]}
			break
		}
	}
	return api.Object{"repositoryArn": repositoryARN(repo.scope, repo.name), "repositoryName": repo.name,
		"scanOnPush": frequency == "SCAN_ON_PUSH", "scanFrequency": frequency, "appliedScanFilters": applied}
}
