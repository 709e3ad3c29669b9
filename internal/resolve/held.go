package resolve

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

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
	pages := ecr.NewDescribeImagesPaginator(r.client(w.Registry.Region), &ecr.DescribeImagesInput{
		RegistryId: aws.String(w.Registry.AccountID), RepositoryName: aws.String(w.Repository),
		Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusTagged}, MaxResults: aws.Int32(1000)})
	var all []Held
	for n := 0; pages.HasMorePages(); n++ {
		if n == maxPages {
			return nil, fault.Misconfigured("TooManyImages", "listing the images of ECR repository "+w.Repository,
				fmt.Errorf("it has more than %d", len(all)), "delete old images: deployer policy lifecycle")
		}
		page, err := pages.NextPage(ctx, func(o *ecr.Options) { o.Retryer = fault.UntilDeadline(ctx) })
		if err != nil {
			return nil, callFailed(err, env, w, "")
		}
		for _, d := range page.ImageDetails {
			tags := slices.DeleteFunc(d.ImageTags, ofDigest().MatchString)
			if len(tags) > 0 {
				all = append(all, Held{aws.ToString(d.ImageDigest), tags, aws.ToTime(d.ImagePushedAt)})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y Held) int { return y.Pushed.Compare(x.Pushed) })
	return all, nil
}
