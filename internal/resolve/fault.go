package resolve

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/image"
)

// looking names the operation in the faults of one call. Name is a tag or a digest.
func looking(w environment.Workload, name string) string {
	kind := "tag"
	if image.ValidDigest(name) {
		kind = "digest"
	}
	return fmt.Sprintf("looking for %s %q in ECR repository %q of %s", kind, name, w.Repository, w.Registry)
}

// notInECR returns the fault of a workload whose image comes from another registry.
func notInECR(env *environment.Environment, w environment.Workload, tag string) error {
	return fault.Rejected(fault.ErrImageOutsideECR, fmt.Sprintf("resolving tag %q of %s %q", tag, w.Kind, w.Name),
		fmt.Errorf("its image %q is not in ECR, so that it can be neither checked nor pinned", w.External),
		"to deploy from ECR, remove the image from "+env.File+" and apply the infrastructure")
}

// notImage returns the fault of something in ECR that is not a container image.
func notImage(cause error, w environment.Workload, name string) error {
	return fault.Rejected(fault.ErrNotImage, looking(w, name), cause,
		fmt.Sprintf("push the image under this tag again, and anything else under another tag or to another "+
			"repository; see what is there: aws ecr batch-get-image --registry-id %s --region %s --repository-name %s "+
			"--image-ids %s", w.Registry.AccountID, w.Registry.Region, w.Repository, idOption(name)))
}

// idOption returns the name of an image, a tag or a digest, as an option of the aws command.
func idOption(name string) string {
	if image.ValidDigest(name) {
		return "imageDigest=" + name
	}
	return "imageTag=" + name
}

// callFailed returns the fault of a call to ECR that failed.
func callFailed(err error, env *environment.Environment, w environment.Workload, name string) error {
	if fault.HasCode(err, "RepositoryNotFoundException") {
		//lint:ignore ST1005 people search for this text
		cause := fmt.Errorf("No ECR repository found: %s/%s does not exist (%s)", w.Registry.Host(), w.Repository,
			w.RegistryReason)
		return fault.Misconfigured(fault.ErrRepositoryNotFound, looking(w, name), cause,
			"create it with the infrastructure, or set ecr_strategy in "+env.File+" to the account that has the images")
	}
	if message, denied := fault.Denied(err); denied {
		return accessDenied(message, err, env, w, name)
	}
	return fault.Classify(looking(w, name), err)
}

// callerARN matches the caller in AWS's message: "User: arn:aws:sts::333333333333:assumed-role/name/session
// is not authorized ...". Its groups are the account and, of a role session, the role.
var callerARN = regexp.MustCompile(`arn:[a-z-]+:(?:sts|iam)::([0-9]{12}):(?:assumed-role/([^/ ]+)|[^ ]+)`)

// accessDenied returns the fault of a call that AWS denied. It names the policy
// that denied it, and the statement to add. Within an account, one of the
// caller's and the repository's policy suffices; across accounts, both must allow the call.
func accessDenied(message string, err error, env *environment.Environment, w environment.Workload, name string) error {
	caller, account := "the caller", env.AccountID
	if m := callerARN.FindStringSubmatch(message); m != nil {
		caller, account = m[0], m[1]
		if role := m[2]; role != "" {
			caller = "role " + role
		}
	}
	actions := []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"}
	if strings.Contains(message, "ecr:DescribeImages") {
		actions = []string{"ecr:DescribeImages"}
	}
	callerFix := fmt.Sprintf("in account %s, add to the policy of %s: %s",
		account, caller, iam.Identity(w.Registry.RepositoryARN(w.Repository), actions...))
	repositoryFix := fmt.Sprintf("in account %s, add to the policy of repository %s in %s: %s",
		w.Registry.AccountID, w.Repository, w.Registry.Region,
		iam.Resource(image.PartitionOf(w.Registry.Region).Name, account, actions...))

	var reason, hint string
	switch {
	case strings.Contains(message, "explicit deny"):
		reason = "a policy denies it explicitly"
		hint = "adding an Allow does not help: find the Deny that AWS names, and exclude " + caller + " from it"
	case strings.Contains(message, "no resource-based policy"):
		reason, hint = "the repository policy does not allow it", repositoryFix
	case strings.Contains(message, "no identity-based policy"):
		reason, hint = "the identity policy of "+caller+" does not allow it", callerFix
		if account != w.Registry.AccountID {
			hint += "; if it is still denied then, " + repositoryFix
		}
	case account == w.Registry.AccountID:
		reason, hint = "AWS does not report which policy denied it", callerFix
	default:
		reason = "AWS does not report which policy denied it, and across accounts both must allow it"
		hint = callerFix + "; and " + repositoryFix
	}
	cause := &denial{"access denied: " + reason + "; AWS's message: " + message, err}
	return fault.Misconfigured(fault.ErrAccessDenied, looking(w, name), cause, hint)
}

// denial is AWS's error under a text that names the policy.
type denial struct {
	text string
	err  error
}

func (d *denial) Error() string { return d.text }
func (d *denial) Unwrap() error { return d.err }

// imageMissing returns the fault of an answer without the image. ECR answers
// with HTTP 200 and a reason in failures.
func imageMissing(failures []types.ImageFailure, w environment.Workload, name string) error {
	if len(failures) == 0 {
		return fault.Unavailable(fault.ErrImageNotFound, looking(w, name),
			errors.New("ECR returned neither the image nor a reason"), "")
	}
	code, reason := failures[0].FailureCode, aws.ToString(failures[0].FailureReason)
	notAvailable := fmt.Errorf("image not available: %s: %s", code, reason)
	switch code {
	case types.ImageFailureCodeImageNotFound, types.ImageFailureCodeInvalidImageTag,
		types.ImageFailureCodeInvalidImageDigest, types.ImageFailureCodeImageTagDoesNotMatchDigest,
		types.ImageFailureCodeMissingDigestAndTag, types.ImageFailureCodeImageReferencedByManifestList:
		hint := fmt.Sprintf("push the image first, or check the tag: aws ecr describe-images --registry-id %s "+
			"--region %s --repository-name %s",
			w.Registry.AccountID, w.Registry.Region, w.Repository)
		if image.ValidDigest(name) {
			hint = "it was deleted, or a lifecycle policy expired it: choose another revision, or push the image again"
		}
		return fault.Rejected(fault.ErrImageNotFound, looking(w, name),
			fmt.Errorf("image not found: %s: %s", code, reason), hint)
	case types.ImageFailureCodeUpstreamTooManyRequests, types.ImageFailureCodeUpstreamUnavailable:
		return fault.Unavailable(fault.Name(code), looking(w, name), notAvailable, "")
	}
	return fault.Misconfigured(fault.Name(code), looking(w, name), notAvailable,
		"see the reason that ECR gives, and make the image available again")
}
