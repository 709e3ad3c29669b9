package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// How long ECR keeps images that are not releases.
const (
	keepBuilds   = 200 // images for each kind of commit tag
	keepUntagged = 14  // days
	// never is a count that no repository reaches: the quota is 100,000 images. See
	// "Amazon ECR service quotas".
	never = 999999
)

// releases are the tags of images that never expire, builds the tags of commits.
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
	Action      action    `json:"action"`
}

// action is what ECR does with the images of a rule. Its two forms are in "Lifecycle policy properties" of the ECR
// user guide; ECR rejects a class that is null, or that stands beside expire.
type action struct {
	Type  string `json:"type"`
	Class string `json:"targetStorageClass,omitempty"`
}

var (
	expire  = action{Type: "expire"}
	archive = action{Type: "transition", Class: "archive"}
)

type selection struct {
	TagStatus   string   `json:"tagStatus"`
	Patterns    []string `json:"tagPatternList,omitempty"`
	CountType   string   `json:"countType"`
	CountUnit   string   `json:"countUnit,omitempty"`
	CountNumber int      `json:"countNumber"`
}

// Lifecycle returns the lifecycle policy for the repositories of an environment's
// images. No release expires: latest, stable, v*, env-*, and the tags that deploy
// the environment when they are pushed.
//
// ECR has no rule that keeps images. But an image that one rule selects cannot be
// expired by a later one, even if the first does not expire it ("Lifecycle policy
// evaluation rules" in the ECR user guide). So the first rules select the releases
// and expire none, including images with both a commit's tag and a version. Each
// pattern has a rule of its own, because an image must match every pattern of a rule.
//
// An image with nothing but a commit's tag expires when there are 200 newer ones,
// even if production runs it; the doctor counts how many are left. An image that lost
// its only tag expires 14 days after its push: push a commit's tag together with latest.
func Lifecycle(env *environment.Environment) (Policy, error) { return lifecycleOf(env, expire) }

// ArchivingLifecycle is [Lifecycle], but images are archived instead of deleted. None of its rules deletes an image.
// An archived image cannot be pulled until it is restored.
func ArchivingLifecycle(env *environment.Environment) (Policy, error) {
	return lifecycleOf(env, archive)
}

func lifecycleOf(env *environment.Environment, end action) (Policy, error) {
	all := repositories(env, func(image.Registry) bool { return true })
	if len(all) == 0 {
		return Policy{}, noRepository(env)
	}
	var l lifecycle
	add := func(description string, s selection) {
		l.Rules = append(l.Rules, rule{len(l.Rules) + 1, description, s, end})
	}
	for _, tag := range kept(env) {
		add("Keep "+tag, selection{TagStatus: "tagged", Patterns: []string{tag}, CountType: "imageCountMoreThan",
			CountNumber: never})
	}
	for _, tag := range builds {
		add(fmt.Sprintf("Keep the newest %d of %s", keepBuilds, tag),
			selection{TagStatus: "tagged", Patterns: []string{tag}, CountType: "imageCountMoreThan",
				CountNumber: keepBuilds})
	}
	add(fmt.Sprintf("Keep untagged images for %d days", keepUntagged),
		selection{TagStatus: "untagged", CountType: "sinceImagePushed", CountUnit: "days", CountNumber: keepUntagged})
	p := Policy{JSON: text(l, "")}
	for _, r := range registries(all) {
		p.Notes = append(p.Notes, "put it on the repositories of "+of(r)+", with that account's credentials")
	}
	p.Notes = append(p.Notes, end.notes()...)
	p.Steps = each(all, "aws ecr put-lifecycle-policy", "--lifecycle-policy-text")
	p.Terraform = repositoryResources("aws_ecr_lifecycle_policy", all, l)
	return p, nil
}

// notes says what becomes of images at the end.
func (a action) notes() []string {
	const preview = ": aws ecr start-lifecycle-policy-preview, then get-lifecycle-policy-preview"
	if a == archive {
		return []string{
			"preview what it would archive" + preview,
			"archived images stay until you delete them, are billed for 90 days at least, and cannot be pulled; " +
				"restore " +
				"one: aws ecr update-image-storage-class --target-storage-class STANDARD",
			fmt.Sprintf(
				"an image that runs under a commit's tag alone is archived after %d newer ones; deployer doctor shows "+
					"how many are left", keepBuilds),
		}
	}
	return []string{
		"preview what it would delete" + preview,
		fmt.Sprintf(
			"an image that runs under a commit's tag alone expires after %d newer ones; deployer doctor shows how "+
				"many are left", keepBuilds),
	}
}

// patternForm matches the patterns that ECR accepts, except those that start with a
// wildcard, which would match the tags of commits too.
var patternForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\*[A-Za-z0-9._-]*){0,4}$`)

// kept returns the patterns of the tags that never expire: the releases, and the tag
// policy except for the tags of commits.
func kept(env *environment.Environment) []string {
	keep := slices.Clone(releases)
	for _, pattern := range env.AutoDeploy {
		glob := string(pattern)
		covers := func(other string) bool {
			prefix, open := strings.CutSuffix(other, "*")
			return glob == other || open && strings.HasPrefix(glob, prefix)
		}
		if !slices.ContainsFunc(slices.Concat(keep, builds), covers) && patternForm.MatchString(glob) {
			keep = append(keep, glob)
		}
	}
	return keep
}
