package emulator

import "encoding/json"

type putLifecyclePolicyInput struct {
	repositoryID
	Text string `json:"lifecyclePolicyText"`
}

// putLifecyclePolicy keeps the policy. Nothing carries it out.
func (e *Emulator) putLifecyclePolicy(r *request, in putLifecyclePolicyInput) (any, *Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	if !isLifecycle(in.Text) {
		return nil, errConstraint("LifecyclePolicyText", "Lifecycle policy validation failure")
	}
	repo.lifecycle = in.Text
	return repo.describeLifecycle(), nil
}

// isLifecycle reports whether a text has what every lifecycle policy must have.
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

func (e *Emulator) getLifecyclePolicy(r *request, in repositoryID) (any, *Error) {
	repo, err := e.openRepository(r, in)
	if err != nil {
		return nil, err
	}
	if repo.lifecycle == "" {
		return nil, badRequest("LifecyclePolicyNotFoundException",
			"Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", repo.name, repo.account)
	}
	return repo.describeLifecycle(), nil
}

func (r *repository) describeLifecycle() object {
	return object{"registryId": r.account, "repositoryName": r.name, "lifecyclePolicyText": r.lifecycle}
}
