package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/image"
)

// images examines the image that a service runs, and the way it is pulled.
func (c *chart) images(ctx context.Context, x *exam, w environment.Workload, s *types.Service, td *types.TaskDefinition, running image.Reference) {
	r := x.repositoryOf(ctx, w)
	id, known := ecrtypes.ImageIdentifier{ImageTag: aws.String("latest")}, false // any tag tells whether pulls are allowed
	if running.Repository == w.Repository {
		id, known = c.identifier(ctx, x, s, running)
	}
	got, failure, err := r.get(ctx, id)
	if !c.open(x, r, err) {
		return
	}
	c.execution(ctx, x, r, td, err == nil)
	if !known || err != nil {
		return
	}
	c.exists(ctx, r, id, failure)
	if got == nil {
		return
	}
	c.platform(ctx, x, r, got, td)
	digest := ""
	if got.ImageId != nil {
		digest = aws.ToString(got.ImageId.ImageDigest)
	}
	c.kept(x, r, digest)
}

// task examines a task, which is not deployed yet: where its image is.
func (c *chart) task(ctx context.Context, x *exam, w environment.Workload) {
	r := x.repositoryOf(ctx, w)
	_, _, err := r.get(ctx, ecrtypes.ImageIdentifier{ImageTag: aws.String("latest")}) // any tag tells
	c.open(x, r, err)
}

// open reports whether a repository is there, and to whom it is open. Err is
// what came of asking it for an image.
func (c *chart) open(x *exam, r *repository, err error) bool {
	if fault.HasCode(err, "RepositoryNotFoundException") {
		c.add("repository", Problem, fmt.Sprintf("No ECR repository found: %s/%s does not exist (strategy %s: %s)", r.Host(), r.name, x.env.Strategy.Name, x.env.Strategy.Why),
			"create it there, or set ecr_strategy in "+x.env.File+" to where the images are")
		return false
	}
	c.pull(x, r, err)
	c.openness(x, r)
	return true
}

// identifier returns how ECR knows the image that runs: by the digest in the
// task definition or that of the running tasks, which a tag may have left; else by
// the tag. Known is false if it could not be asked.
func (c *chart) identifier(ctx context.Context, x *exam, s *types.Service, running image.Reference) (id ecrtypes.ImageIdentifier, known bool) {
	if running.Digest != "" {
		return ecrtypes.ImageIdentifier{ImageDigest: aws.String(running.Digest)}, true
	}
	digests, action, err := x.taskDigests(ctx, s, running)
	switch {
	case err != nil:
		c.blind(x, "running image", action, "*", err)
	case len(digests) > 1:
		c.add("running image", Warning, fmt.Sprintf("the tasks run %d different images under the tag %q: %s", len(digests), running.Tag, strings.Join(digests, ", ")),
			"the tag was moved meanwhile; deploy once more, which pins the image by digest")
	case len(digests) == 0:
		c.add("running image", Warning, fmt.Sprintf("the task definition names the image by the tag %q, and no task runs that could tell its digest", running.Tag), "deploy once, which pins the image by digest")
	}
	if len(digests) > 0 {
		return ecrtypes.ImageIdentifier{ImageDigest: aws.String(digests[0])}, true
	}
	return ecrtypes.ImageIdentifier{ImageTag: aws.String(running.Tag)}, err == nil
}

// taskDigests returns the digests that the tasks of a service run of an image;
// action is the call that failed, if one did.
func (x *exam) taskDigests(ctx context.Context, s *types.Service, running image.Reference) (digests []string, action string, err error) {
	list, err := x.ecs.ListTasks(ctx, &ecs.ListTasksInput{Cluster: s.ClusterArn, ServiceName: s.ServiceName, DesiredStatus: types.DesiredStatusRunning})
	if err != nil || len(list.TaskArns) == 0 {
		return nil, "ecs:ListTasks", err
	}
	out, err := x.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: s.ClusterArn, Tasks: list.TaskArns[:min(len(list.TaskArns), 100)]})
	if err != nil {
		return nil, "ecs:DescribeTasks", err
	}
	for _, task := range out.Tasks {
		for _, container := range task.Containers {
			digest := aws.ToString(container.ImageDigest)
			if digest != "" && aws.ToString(container.Image) == running.String() && !slices.Contains(digests, digest) {
				digests = append(digests, digest)
			}
		}
	}
	return digests, "", nil
}

// exists reports whether the image that runs can still be pulled: new tasks need it.
func (c *chart) exists(ctx context.Context, r *repository, id ecrtypes.ImageIdentifier, failure *ecrtypes.ImageFailure) {
	name := aws.ToString(id.ImageDigest) + aws.ToString(id.ImageTag)
	const consequence = "a task that starts now cannot pull it"
	switch {
	case failure == nil:
		c.ok("image", "what runs is in the registry, and not archived: %s", name)
	case r.archived(ctx, id):
		c.add("image", Problem, fmt.Sprintf("what runs is archived in repository %s of %s: %s; %s", r.name, r.Registry, name, consequence),
			fmt.Sprintf("restore it: aws ecr update-image-storage-class --registry-id %s --region %s --repository-name %s --image-id %s --target-storage-class STANDARD", r.AccountID, r.Region, r.name, option(id)))
	case failure.FailureCode == ecrtypes.ImageFailureCodeImageNotFound:
		c.add("image", Problem, fmt.Sprintf("what runs is gone from repository %s of %s: %s; %s", r.name, r.Registry, name, consequence),
			"deploy an image that exists, and see that no lifecycle policy deletes what runs")
	default:
		c.add("image", Problem, fmt.Sprintf("ECR does not give out what runs, %s: %s: %s; %s", name, failure.FailureCode, aws.ToString(failure.FailureReason), consequence), "deploy another image")
	}
}

// option is an image's id as the aws command takes it.
func option(id ecrtypes.ImageIdentifier) string {
	if id.ImageDigest != nil {
		return "imageDigest=" + *id.ImageDigest
	}
	return "imageTag=" + aws.ToString(id.ImageTag)
}

// kept reports whether the image that runs may be deleted.
func (c *chart) kept(x *exam, r *repository, digest string) {
	images, err := r.images()
	if err != nil {
		c.blind(x, "lifecycle", "ecr:DescribeImages", r.arn.String(), err)
		return
	}
	i := slices.IndexFunc(images, func(d ecrtypes.ImageDetail) bool { return aws.ToString(d.ImageDigest) == digest })
	if i < 0 {
		c.add("lifecycle", Unknown, "not checked: ECR does not list the image "+digest, "try again")
		return
	}
	text, err := r.lifecycle()
	if err != nil {
		c.blind(x, "lifecycle", "ecr:GetLifecyclePolicy", r.arn.String(), err)
		return
	}
	c.lifecycle(text, images, images[i])
}
