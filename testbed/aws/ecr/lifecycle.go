package ecr

import (
	"encoding/json"
	"slices"
	"strings"

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
	if err := checkLifecycle(in.Text); err != nil {
		return nil, err
	}
	repo.lifecycle = in.Text
	return repo.describeLifecycle(), nil
}

// A lifecycleRule is a rule of a lifecycle policy (ECR user guide, "Lifecycle policy properties").
type lifecycleRule struct {
	Priority  int `json:"rulePriority"`
	Selection *struct {
		TagStatus      string
		TagPatternList []string
		TagPrefixList  []string
		StorageClass   string
		CountType      string
		CountUnit      string
		CountNumber    int
	}
	Action *struct {
		Type               string
		TargetStorageClass *string
	}
}

// checkLifecycle returns ECR's error for a text that is not a lifecycle policy. Of the texts, that about the action is
// real (cloudposse/terraform-aws-ecr#158); others say more than this.
func checkLifecycle(text string) *api.Error {
	const failure = "Lifecycle policy validation failure"
	var document struct{ Rules []lifecycleRule }
	if json.Unmarshal([]byte(text), &document) != nil || len(document.Rules) == 0 || len(document.Rules) > 50 {
		return constraintError("LifecyclePolicyText", failure)
	}
	priorities := map[int]bool{}
	for _, rule := range document.Rules {
		if rule.Priority < 1 || priorities[rule.Priority] || rule.Selection == nil || rule.Action == nil {
			return constraintError("LifecyclePolicyText", failure)
		}
		priorities[rule.Priority] = true
	}
	for _, rule := range document.Rules {
		if !rule.selectsProperly() {
			return constraintError("LifecyclePolicyText", failure)
		}
		if !rule.actsProperly() {
			return constraintError("LifecyclePolicyText",
				failure+": instance failed to match exactly one schema (matched 0 out of 2)")
		}
	}
	return nil
}

// selectsProperly reports whether ECR accepts the selection of a rule.
func (r lifecycleRule) selectsProperly() bool {
	s := r.Selection
	byDays, archived := s.CountType != "imageCountMoreThan", s.CountType == "sinceImageTransitioned"
	tags := append(slices.Clone(s.TagPatternList), s.TagPrefixList...)
	return slices.Contains([]string{"tagged", "untagged", "any"}, s.TagStatus) &&
		(s.TagStatus == "tagged") == (len(tags) > 0) && (s.TagPatternList == nil || s.TagPrefixList == nil) &&
		!slices.ContainsFunc(s.TagPatternList, func(p string) bool { return strings.Count(p, "*") > 4 }) &&
		slices.Contains([]string{"imageCountMoreThan", "sinceImagePushed", "sinceImagePulled",
			"sinceImageTransitioned"}, s.CountType) &&
		byDays == (s.CountUnit == "days") && s.CountNumber > 0 &&
		archived == (s.StorageClass == "archive") &&
		slices.Contains([]string{"", "standard", "archive"}, s.StorageClass)
}

// actsProperly reports whether ECR accepts the action of a rule. An image is archived for 90 days at least ("Archiving
// an image"), and only archived by its last pull (cloud-gov/terraform-provision#2353).
func (r lifecycleRule) actsProperly() bool {
	switch r.Action.Type {
	case "expire":
		return r.Action.TargetStorageClass == nil && r.Selection.CountType != "sinceImagePulled" &&
			(r.Selection.CountType != "sinceImageTransitioned" || r.Selection.CountNumber >= 90)
	case "transition":
		return r.Action.TargetStorageClass != nil && *r.Action.TargetStorageClass == "archive" &&
			r.Selection.CountType != "sinceImageTransitioned"
	}
	return false
}

func (e *Server) getLifecyclePolicy(r *api.Request, in repositoryID) (any, *api.Error) {
	repo, err := e.openRepository(r, in)
	if err != nil {
		return nil, err
	}
	if repo.lifecycle == "" {
		return nil, lifecycleNotFound(repo)
	}
	return repo.describeLifecycle(), nil
}

func (e *Server) deleteLifecyclePolicy(r *api.Request, in repositoryID) (any, *api.Error) {
	repo, err := e.openRepository(r, in)
	if err != nil {
		return nil, err
	}
	if repo.lifecycle == "" {
		return nil, lifecycleNotFound(repo)
	}
	answer := repo.describeLifecycle()
	repo.lifecycle = ""
	return answer, nil
}

func lifecycleNotFound(r *repository) *api.Error {
	return api.NewError("LifecyclePolicyNotFoundException",
		"Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", r.name,
		r.scope.Account)
}

func (r *repository) describeLifecycle() api.Object {
	return api.Object{"registryId": r.scope.Account, "repositoryName": r.name, "lifecyclePolicyText": r.lifecycle}
}
