package resolve

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"

	"deployer/internal/environment"
	"deployer/internal/fault"
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

// accessDenied returns the fault of a call that AWS denied. What AWS's message
// leaves out is filled in from the call.
func accessDenied(message string, err error, env *environment.Environment, w environment.Workload, name string) error {
	d, _ := fault.ParseDenial(message)
	if d.Account == "" {
		d.Account = env.AccountID
	}
	if d.Action == "" {
		d.Action = "ecr:BatchGetImage"
		var operation *smithy.OperationError
		if errors.As(err, &operation) {
			d.Action = "ecr:" + operation.OperationName
		}
	}
	if d.Resource == "" {
		d.Resource = w.Registry.RepositoryARN(w.Repository)
	}
	cause := &denial{"access denied: " + d.Reason() + "; AWS's message: " + message, err}
	return fault.Misconfigured(fault.ErrAccessDenied, looking(w, name), cause, d.Advice()+d.IfStillDenied())
}

// denial is AWS's error under a text that names the policy.
type denial struct {
	text string
	err  error
}

func (d *denial) Error() string { return d.text }
func (d *denial) Unwrap() error { return d.err }

// NotFound begins the cause of the error of an image that ECR does not have.
const NotFound = "image not found"

// says returns a text with ECR's code and reason, without what only repeats it: of
// "ImageNotFound" and "Requested image not found", "image not found" says all.
func says(text, code, reason string) string {
	if !strings.EqualFold(code, strings.ReplaceAll(text, " ", "")) {
		text += ": " + code
	}
	if reason != "" && !strings.HasSuffix(reason, text) {
		text += ": " + reason
	}
	return text
}

// imageMissing returns the fault of an answer without the image. ECR answers
// with HTTP 200 and a reason in failures.
func imageMissing(failures []types.ImageFailure, w environment.Workload, name string) error {
	if len(failures) == 0 || failures[0].FailureCode == "" {
		return fault.Incomplete(looking(w, name), "image, and no reason")
	}
	code, reason := failures[0].FailureCode, aws.ToString(failures[0].FailureReason)
	notAvailable := errors.New(says("image not available", string(code), reason))
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
			errors.New(says(NotFound, string(code), reason)), hint)
	case types.ImageFailureCodeUpstreamTooManyRequests, types.ImageFailureCodeUpstreamUnavailable:
		return fault.Unavailable(fault.Name(code), looking(w, name), notAvailable, "")
	}
	hint := "see the reason that ECR gives, and make the image available again"
	if d, ok := fault.ParseDenial(reason); ok { // of the KMS key, for example
		hint = d.Advice() + d.IfStillDenied()
	}
	return fault.Misconfigured(fault.Name(code), looking(w, name), notAvailable, hint)
}
