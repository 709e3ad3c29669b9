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

// images checks the image that a service runs, and whether it can be pulled.
func (f *findings) images(ctx context.Context, c *checker, w environment.Workload, s *types.Service,
	td *types.TaskDefinition, running image.Reference) {
	r := c.repositoryOf(ctx, w)
	// any tag shows whether pulls are allowed
	id, known := ecrtypes.ImageIdentifier{ImageTag: aws.String("latest")}, false
	if running.Repository == w.Repository {
		id, known = f.identifier(ctx, c, s, running)
	}
	got, failure, err := r.get(ctx, id)
	if !f.open(c, r, err) {
		return
	}
	f.execution(ctx, c, r, td, err == nil)
	if !known || err != nil {
		return
	}
	f.exists(ctx, r, id, failure)
	if got == nil {
		return
	}
	f.platform(ctx, c, r, got, s, td)
	digest := ""
	if got.ImageId != nil {
		digest = aws.ToString(got.ImageId.ImageDigest)
	}
	f.kept(c, r, digest)
}

// task checks what starts a task, and its repository.
func (f *findings) task(ctx context.Context, c *checker, w environment.Workload) {
	f.pointers(ctx, c, w)
	if w.Repository == "" {
		f.ok("image", "runs %q, which is not in ECR: it is not deployed", w.External)
		return
	}
	r := c.repositoryOf(ctx, w)
	// any tag shows whether pulls are allowed
	_, _, err := r.get(ctx, ecrtypes.ImageIdentifier{ImageTag: aws.String("latest")})
	if !f.open(c, r, err) {
		return
	}
	if text, err := r.lifecycle(); err == nil && text != "" {
		f.ok("lifecycle", "the repository has a lifecycle policy")
	}
}

// open reports whether a repository exists, who may use it, and what it lacks. Err is the error of
// reading an image from it. It returns false if the repository does not exist.
func (f *findings) open(c *checker, r *repository, err error) bool {
	if fault.HasCode(err, "RepositoryNotFoundException") {
		f.add("repository", Problem,
			fmt.Sprintf("No ECR repository found: %s/%s does not exist (%s)", r.registry.Host(), r.name, r.reason),
			"create it with the infrastructure, or set ecr_strategy in "+c.env.File+
				" to the account that has the images")
		return false
	}
	f.pull(c, r, err)
	f.openness(c, r)
	f.upkeep(c, r)
	return true
}

// identifier returns the id of the running image: the digest in the task definition,
// else that of the running tasks, because the tag may name another image now; else
// the tag. Known is false if the tasks could not be read.
func (f *findings) identifier(ctx context.Context, c *checker, s *types.Service, running image.Reference) (
	id ecrtypes.ImageIdentifier, known bool) {
	if running.Digest != "" {
		return ecrtypes.ImageIdentifier{ImageDigest: aws.String(running.Digest)}, true
	}
	digests, action, err := c.taskDigests(ctx, s, running)
	switch {
	case err != nil:
		f.notChecked(c, "running image", action, "*", err)
	case len(digests) > 1:
		f.add("running image", Warning, fmt.Sprintf("the tasks run %d different images under the tag %q: %s",
			len(digests), running.Tag, strings.Join(digests, ", ")),
			"the tag was moved; deploy again, which pins the image by digest")
	case len(digests) == 0:
		f.add("running image", Warning,
			fmt.Sprintf("the task definition names the image by the tag %q, and no running task has its digest",
				running.Tag), "deploy once, which pins the image by digest")
	}
	if len(digests) > 0 {
		return ecrtypes.ImageIdentifier{ImageDigest: aws.String(digests[0])}, true
	}
	return ecrtypes.ImageIdentifier{ImageTag: aws.String(running.Tag)}, err == nil
}

// taskDigests returns the digests of an image that the tasks of a service run. If a
// call fails, action is its IAM action.
func (c *checker) taskDigests(ctx context.Context, s *types.Service, running image.Reference) (digests []string,
	action string, err error) {
	list, err := c.ecs.ListTasks(ctx, &ecs.ListTasksInput{Cluster: s.ClusterArn, ServiceName: s.ServiceName,
		DesiredStatus: types.DesiredStatusRunning})
	if err != nil || len(list.TaskArns) == 0 {
		return nil, "ecs:ListTasks", err
	}
	out, err := c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: s.ClusterArn,
		Tasks: list.TaskArns[:min(len(list.TaskArns), 100)]})
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

// exists reports whether new tasks can pull the running image.
func (f *findings) exists(ctx context.Context, r *repository, id ecrtypes.ImageIdentifier,
	failure *ecrtypes.ImageFailure) {
	name := aws.ToString(id.ImageDigest) + aws.ToString(id.ImageTag)
	const consequence = "a task that starts now cannot pull it"
	switch {
	case failure == nil:
		f.ok("image", "the running image is in the registry and not archived: %s", name)
	case r.archived(ctx, id):
		f.add("image", Problem, fmt.Sprintf("the running image is archived in repository %s of %s: %s; %s", r.name,
			r.registry, name, consequence),
			fmt.Sprintf(
				"restore it: aws ecr update-image-storage-class --registry-id %s --region %s --repository-name %s "+
					"--image-id %s --target-storage-class STANDARD", r.registry.AccountID, r.registry.Region, r.name,
				option(id)))
	case failure.FailureCode == ecrtypes.ImageFailureCodeImageNotFound:
		f.add("image", Problem, fmt.Sprintf("the running image was deleted from repository %s of %s: %s; %s", r.name,
			r.registry, name, consequence),
			"deploy an image that exists, and make sure that no lifecycle policy deletes running images")
	default:
		f.add("image", Problem, fmt.Sprintf("ECR does not return the running image %s: %s: %s; %s", name,
			failure.FailureCode, aws.ToString(failure.FailureReason), consequence), "deploy another image")
	}
}

// option returns an image's id as an option of the aws command.
func option(id ecrtypes.ImageIdentifier) string {
	if id.ImageDigest != nil {
		return "imageDigest=" + *id.ImageDigest
	}
	return "imageTag=" + aws.ToString(id.ImageTag)
}

// kept reports whether the running image may be deleted by a lifecycle policy.
func (f *findings) kept(c *checker, r *repository, digest string) {
	images, err := r.images()
	if err != nil {
		f.notChecked(c, "lifecycle", "ecr:DescribeImages", r.arn.String(), err)
		f.notReconciled(c, r, err)
		return
	}
	text, err := r.lifecycle()
	if err != nil || text == "" {
		return // reported by upkeep
	}
	i := slices.IndexFunc(images, func(d ecrtypes.ImageDetail) bool { return aws.ToString(d.ImageDigest) == digest })
	if i < 0 {
		f.add("lifecycle", Unknown, "not checked: ECR does not list the image "+digest, "try again")
		return
	}
	f.lifecycle(c.env.Command("policy lifecycle"), text, images, images[i])
}

// notReconciled warns that lost pushes to a repository are not found, if the caller
// may not describe its images: the repository's policy treats the deployer the same.
func (f *findings) notReconciled(c *checker, r *repository, err error) {
	message, denied := fault.Denied(err)
	exact := slices.ContainsFunc(c.env.AutoDeploy, environment.TagPattern.IsExact)
	if !denied || !exact || !strings.Contains(message, "resource-based policy") {
		return
	}
	f.add("lost pushes", Warning,
		"pushes to "+r.name+" whose events were lost are not found: its policy does not allow ecr:DescribeImages",
		c.allow("ecr:DescribeImages", r.arn.String(), message))
}
