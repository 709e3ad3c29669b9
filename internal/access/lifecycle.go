package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// How long ECR keeps what is not a release.
const (
	keepBuilds   = 200 // images for each kind of commit tag
	keepUntagged = 14  // days
	// never is a count that no repository reaches: 100,000 images are the most
	// that one holds, by "Amazon ECR service quotas".
	never = 999999
)

// releases are the tags of images that must not go, builds those of commits.
var (
	releases = []string{"latest", "stable", "v*", "env-*"}
	builds   = []string{"git-*", "sha-*"}
)

type lifecycle struct {
	Rules []rule `json:"rules"`
}

type rule struct {
	Priority    int       `json:"rulePriority"`
	Description string    `json:"description"`
	Selection   selection `json:"selection"`
	Action      struct {
		Type string `json:"type"`
	} `json:"action"`
}

type selection struct {
	TagStatus   string   `json:"tagStatus"`
	Patterns    []string `json:"tagPatternList,omitempty"`
	CountType   string   `json:"countType"`
	CountUnit   string   `json:"countUnit,omitempty"`
	CountNumber int      `json:"countNumber"`
}

// Lifecycle returns the lifecycle policy of the repositories that an
// environment's images are in. No release ever expires: not latest, stable, v*
// or env-*, nor a tag that deploys the environment when it is pushed.
//
// ECR has no rule that keeps. But an image that matches the tags of a rule
// cannot be expired by a rule of lower priority, whether or not the first one
// expires it ("Lifecycle policy evaluation rules" in ECR's user guide). So the
// first rules match the releases and expire none, and an image with both a
// commit's tag and a version is theirs. Each pattern needs a rule of its own:
// of a list, an image has to match them all.
//
// An image that has a commit's tag alone may be running all the same, in
// production for months; it goes when 200 newer ones have come. The doctor
// counts how many are left until then. So may an image go that lost its only
// tag, 14 days after its push: push a commit's tag beside latest.
func Lifecycle(env *environment.Environment) (Policy, error) {
	all := repositories(env, func(image.Registry) bool { return true })
	if len(all) == 0 {
		return Policy{}, noRepository(env)
	}
	var l lifecycle
	add := func(description string, s selection) {
		r := rule{Priority: len(l.Rules) + 1, Description: description, Selection: s}
		r.Action.Type = "expire"
		l.Rules = append(l.Rules, r)
	}
	for _, tag := range kept(env) {
		add("Keep "+tag, selection{TagStatus: "tagged", Patterns: []string{tag}, CountType: "imageCountMoreThan", CountNumber: never})
	}
	for _, tag := range builds {
		add(fmt.Sprintf("Keep the newest %d of %s", keepBuilds, tag),
			selection{TagStatus: "tagged", Patterns: []string{tag}, CountType: "imageCountMoreThan", CountNumber: keepBuilds})
	}
	add(fmt.Sprintf("Keep untagged images for %d days", keepUntagged),
		selection{TagStatus: "untagged", CountType: "sinceImagePushed", CountUnit: "days", CountNumber: keepUntagged})
	p := Policy{JSON: text(l, "")}
	for _, r := range registries(all) {
		p.Notes = append(p.Notes, "put it on the repositories of "+of(r)+", with that account's credentials")
	}
	p.Notes = append(p.Notes, "see first what it would delete: aws ecr start-lifecycle-policy-preview, then get-lifecycle-policy-preview",
		fmt.Sprintf("an image that runs under a commit's tag alone goes when %d newer ones have come; deployer doctor says how near that is", keepBuilds))
	p.Steps = each(all, "aws ecr put-lifecycle-policy", "--lifecycle-policy-text")
	p.Terraform = repositoryResources("aws_ecr_lifecycle_policy", all, l)
	return p, nil
}

// patternForm is a pattern of tags that ECR takes, and that does not begin with
// the star, which would match the commits' tags too.
var patternForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\*[A-Za-z0-9._-]*){0,4}$`)

// kept returns the patterns of the tags that never expire: the releases, and
// what deploys by itself but for the commits' tags.
func kept(env *environment.Environment) []string {
	keep := slices.Clone(releases)
	for _, p := range env.AutoDeploy {
		glob := string(p)
		known := func(pattern string) bool {
			prefix, open := strings.CutSuffix(pattern, "*")
			return glob == pattern || open && strings.HasPrefix(glob, prefix)
		}
		if !slices.ContainsFunc(slices.Concat(keep, builds), known) && patternForm.MatchString(glob) {
			keep = append(keep, glob)
		}
	}
	return keep
}
