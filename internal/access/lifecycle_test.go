package access

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stored is an image in a repository.
type stored struct {
	Tags []string
	Age  int  // days since its push
	Part bool // it is part of an image index
}

// expired returns the images that a lifecycle policy expires, by "Lifecycle policy
// evaluation rules" in the ECR user guide: every rule is evaluated for all images that
// its tags select, oldest first, and no later rule expires an image that it selects.
func expired(t *testing.T, policy string, images []stored) []stored {
	t.Helper()
	var l lifecycle
	d := json.NewDecoder(strings.NewReader(policy))
	d.DisallowUnknownFields()
	must(t, d.Decode(&l))
	slices.SortFunc(l.Rules, func(a, b rule) int { return a.Priority - b.Priority })
	claimed := make([]bool, len(images))
	var gone []stored
	for _, r := range l.Rules {
		var matching []int
		for i, image := range images {
			if r.selects(image) {
				matching = append(matching, i)
			}
		}
		// newest first
		slices.SortStableFunc(matching, func(a, b int) int { return images[a].Age - images[b].Age })
		for rank, i := range matching {
			due := rank >= r.Selection.CountNumber
			if r.Selection.CountType == "sinceImagePushed" {
				due = images[i].Age > r.Selection.CountNumber
			}
			if due && !claimed[i] && !images[i].Part {
				gone = append(gone, images[i])
			}
		}
		for _, i := range matching {
			claimed[i] = true
		}
	}
	return gone
}

func (r rule) selects(image stored) bool {
	switch r.Selection.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(image.Tags) == 0
	}
	for _, pattern := range r.Selection.Patterns { // every pattern must match one of the tags
		form := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		if !slices.ContainsFunc(image.Tags, form.MatchString) {
			return false
		}
	}
	return true
}

// release matches the tags that must not expire.
var release = regexp.MustCompile(`^(latest|stable|v.*|env-.*)$`)

// guide is the common policy that keeps the newest ten images.
const guide = `{"rules":[{"rulePriority":1,"description":"Keep last 10 ` +
	`images","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10},` +
	`"action":{"type":"expire"}}]}`

// history is the images of years: most have a commit's tag, some a release's too or
// alone, and many lost the tag latest.
func history(random *rand.Rand) []stored {
	images := make([]stored, 2000)
	for i := range images {
		images[i].Age = i
		switch random.IntN(8) {
		case 0:
			images[i].Part = random.IntN(2) == 0
		case 1:
			images[i].Tags = []string{fmt.Sprintf("v1.%d.0", i)}
		case 2:
			images[i].Tags = []string{fmt.Sprintf("git-%07x", i), fmt.Sprintf("v2.%d.0", i)}
		case 3:
			images[i].Tags = []string{fmt.Sprintf("env-prod-%d", i), fmt.Sprintf("sha-%07x", i),
				fmt.Sprintf("git-%07x", i)}
		case 4:
			images[i].Tags = []string{fmt.Sprintf("sha-%07x", i)}
		case 5:
			images[i].Tags = []string{fmt.Sprintf("sha256-%064x.sig", i)}
		default:
			images[i].Tags = []string{fmt.Sprintf("git-%07x", i)}
		}
	}
	for _, pointer := range []string{"latest", "stable"} {
		i := random.IntN(len(images))
		images[i].Tags = append(images[i].Tags, pointer)
	}
	return images
}

func TestNoReleaseExpires(t *testing.T) {
	t.Parallel()
	p, err := Lifecycle(example(t, "centralized-dev-ecr/dev"))
	must(t, err)
	for seed := range uint64(5) {
		images := history(rand.New(rand.NewPCG(seed, 1)))
		gone := expired(t, p.JSON, images)
		commits := 0
		for _, image := range gone {
			if slices.ContainsFunc(image.Tags, release.MatchString) {
				t.Errorf("a release expires: %v", image)
			}
			if image.Part {
				t.Errorf("a part of an image index expires: %v", image)
			}
			if len(image.Tags) > 0 && !strings.HasPrefix(image.Tags[0], "git-") &&
				!strings.HasPrefix(image.Tags[0], "sha-") {
				t.Errorf("a tag that no rule is about expires: %v", image)
			}
			if len(image.Tags) > 0 {
				commits++
			}
		}
		if commits == 0 || commits == len(gone) {
			t.Errorf("%d images expire, %d of them commits: want some of each", len(gone), commits)
		}
		if !slices.ContainsFunc(expired(t, guide, images),
			func(i stored) bool { return slices.ContainsFunc(i.Tags, release.MatchString) }) {
			t.Error("the guide's policy expires no release: is the evaluator right?")
		}
	}
}

func TestWhatExpires(t *testing.T) {
	t.Parallel()
	p, err := Lifecycle(example(t, "centralized-dev-ecr/dev"))
	must(t, err)
	var images []stored
	for i := range 300 {
		images = append(images, stored{Tags: []string{fmt.Sprintf("git-%d", i)}, Age: i})
	}
	images[250].Tags = append(images[250].Tags, "v1.2.3") // released from an old commit
	images = append(images, stored{Age: 14}, stored{Age: 15}, stored{Age: 400, Part: true})
	gone := expired(t, p.JSON, images)
	// The newest 200 stay, and the release, which counts as one of git-* too.
	want := append(slices.Clone(images[200:250]), images[251:300]...)
	want = append(want, stored{Age: 15})
	if diff := cmp.Diff(want, gone); diff != "" {
		t.Error(diff)
	}
}

// TestArchiving checks that the archiving policy ends the same images, and deletes none.
func TestArchiving(t *testing.T) {
	t.Parallel()
	env := example(t, "centralized-dev-ecr/dev")
	deleting, err := Lifecycle(env)
	must(t, err)
	archiving, err := ArchivingLifecycle(env)
	must(t, err)
	for _, form := range []func(Policy) string{
		func(p Policy) string { return p.JSON }, func(p Policy) string { return p.Terraform },
	} {
		want := strings.NewReplacer(`"expire"`, `"transition",#"targetStorageClass":"archive"`).Replace(form(deleting))
		squeeze := strings.NewReplacer(" ", "", "\n", "", "#", "").Replace
		if diff := cmp.Diff(squeeze(want), squeeze(form(archiving))); diff != "" {
			t.Error(diff)
		}
		if strings.Contains(form(archiving), "expire") {
			t.Errorf("a rule deletes images:\n%s", form(archiving))
		}
	}
}

func TestKept(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, autoDeploy, want string }{
		{"the default", "", "latest stable v* env-*"},
		{"none", "auto_deploy: []", "latest stable v* env-*"},
		{"known ones", "auto_deploy: [stable, 'v*', 'v1.*', env-dev-1, 'env-dev-*']", "latest stable v* env-*"},
		{"others", "auto_deploy: [main, 'rel-*', 'a*-b*', rel-2]", "latest stable v* env-* main rel-* a*-b*"},
		{"commits, which are counted", "auto_deploy: ['git-*', 'sha-*', git-abc]", "latest stable v* env-*"},
		{"more than ECR can say", "auto_deploy: ['*', '*-x', 'a?', '[ab]', 'a*b*c*d*e*', 'v[0-9]*']",
			"latest stable v* env-*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := file(t, "env: dev\nregion: us-east-1\ndeployer: {"+tt.autoDeploy+"}\n")
			if got := strings.Join(kept(env), " "); got != tt.want {
				t.Errorf("kept are %s, want %s", got, tt.want)
			}
		})
	}
}
