package ecr

import (
	"encoding/json"

	"deployer/testbed/aws/api"
)

type putLifecyclePolicyInput struct {
	repositoryID
	Text string `json:"lifecyclePolicyText"`
}

// putLifecyclePolicy stores the policy. It is not carried out.
func (e *Server) putLifecyclePolicy(r *api.Request, in putLifecyclePolicyInput) (any, *api.Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	if !isLifecycle(in.Text) {
		return nil, constraintError("LifecyclePolicyText", "Lifecycle policy validation failure")
	}
	repo.lifecycle = in.Text
	return repo.describeLifecycle(), nil
}

// isLifecycle reports whether a text has the members that a lifecycle policy needs.
func isLifecycle(text string) bool {
	var document struct {
		Rules []struct {
			Priority          int `json:"rulePriority"`
			Selection, Action *struct{}
		} `json:"rules"`
	}
	if json.Unmarshal([]byte(text), &document) != nil {
		return false
	}
	priorities := map[int]bool{}
	for _, rule := range document.Rules {
		if rule.Priority < 1 || priorities[rule.Priority] || rule.Selection == nil || rule.Action == nil {
			return false
		}
		priorities[rule.Priority] = true
	}
	return len(document.Rules) > 0
}

func (e *Server) getLifecyclePolicy(r *api.Request, in repositoryID) (any, *api.Error) {
	repo, err := e.openRepository(r, in)
	if err != nil {
		return nil, err
	}
	if repo.lifecycle == "" {
		return nil, api.NewError("LifecyclePolicyNotFoundException",
			"Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", repo.name,
			repo.scope.Account)
	}
	return repo.describeLifecycle(), nil
}

func (r *repository) describeLifecycle() api.Object {
	return api.Object{"registryId": r.scope.Account, "repositoryName": r.name, "lifecyclePolicyText": r.lifecycle}
}
