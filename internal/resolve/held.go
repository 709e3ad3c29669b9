package resolve

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"deployer/internal/environment"
	"deployer/internal/fault"
)

// Held is an image that a repository holds.
type Held struct {
	Digest string
	Tags   []string
	Pushed time.Time
}

// maxPages limits how many pages of 1,000 images are read of a repository.
const maxPages = 5

// ofDigest matches the tags of signatures, attestations and bills of materials.
var ofDigest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256-[0-9a-f]{64}`) })

// Holds returns the tagged images of the workload's repository, the newest push first. It
// leaves out what belongs to an image, such as its signature. It calls ecr:DescribeImages,
// a permission of its own. The environment is used in the texts of errors only.
func (r *Resolver) Holds(ctx context.Context, env *environment.Environment, w environment.Workload) ([]Held, error) {
	if w.Repository == "" {
		return nil, notInECR(env, w, "")
	}
	in := describeImages{repository: repositoryOf(w), Filter: &imageFilter{"TAGGED"}, Max: 1000}
	var all []Held
	for n := 0; n == 0 || in.Token != ""; n++ {
		if n == maxPages {
			return nil, fault.Misconfigured("TooManyImages", "listing the images of ECR repository "+w.Repository,
				fmt.Errorf("it has more than %d", len(all)), "delete old images: deployer policy lifecycle")
		}
		var page describedImages
		if err := r.call(ctx, w, "DescribeImages", in, &page); err != nil {
			return nil, callFailed(err, env, w, "")
		}
		for _, d := range page.Details {
			tags := slices.DeleteFunc(d.Tags, ofDigest().MatchString)
			if len(tags) > 0 {
				all = append(all, Held{d.Digest, tags, d.pushed()})
			}
		}
		in.Token = page.Token
	}
	slices.SortStableFunc(all, func(x, y Held) int { return y.Pushed.Compare(x.Pushed) })
	return all, nil
}
