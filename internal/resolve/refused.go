package resolve

import (
	"fmt"
	"regexp"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/iam"
	"deployer/internal/image"
)

// refused returns the fault of a BatchGetImage call that ECR did not carry out.
func refused(err error, env *environment.Environment, w environment.Workload, tag string) error {
	if fault.HasCode(err, "RepositoryNotFoundException") {
		registry := w.Registry
		//lint:ignore ST1005 these are the words that people search for
		err := fmt.Errorf("No ECR repository found: %s/%s does not exist (%s)", registry.Host(), w.Repository, w.RegistryReason)
		return &fault.Misconfiguration{Fault: fault.Fault{
			Name:  "RepositoryNotFound",
			Doing: doing(env, w, tag),
			Err:   err,
			Hint:  "create the repository there, or set ecr_strategy in " + env.File + " to where the images are",
		}}
	}
	if message, denied := fault.Denied(err); denied {
		return deniedBy(message, err, env, w, tag)
	}
	return fault.Classify(doing(env, w, tag), err)
}

// A denial names the caller, "User: arn:aws:sts::333333333333:assumed-role/name/session is not
// authorized ...", and, where it can, the policy that is missing or in the way.
var caller = regexp.MustCompile(`arn:[a-z-]+:(?:sts|iam)::([0-9]{12}):(?:assumed-role/([^/ ]+)|[^ ]+)`)

// deniedBy returns the fault of a refused caller: which side refused, and the
// statement to add in which account. In one account either side's permission
// is enough; across accounts both are needed.
func deniedBy(message string, err error, env *environment.Environment, w environment.Workload, tag string) error {
	registry := w.Registry
	who, account := "the caller", env.AccountID
	if m := caller.FindStringSubmatch(message); m != nil {
		account = m[1]
		if who = m[0]; m[2] != "" {
			who = "role " + m[2]
		}
	}
	partition := image.PartitionOf(registry.Region).Name
	pull := []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"}
	if strings.Contains(message, "ecr:DescribeImages") {
		pull = []string{"ecr:DescribeImages"}
	}
	identity := iam.Identity(registry.RepositoryARN(w.Repository), pull...)
	resource := iam.Resource(partition, account, pull...)
	identityFix := fmt.Sprintf("in account %s, add to the policy of %s: %s", account, who, identity)
	resourceFix := fmt.Sprintf("in account %s, add to the policy of repository %s in %s: %s", registry.AccountID, w.Repository, registry.Region, resource)

	f := fault.Fault{Name: "AccessDenied", Doing: doing(env, w, tag)}
	side := ""
	switch {
	case strings.Contains(message, "explicit deny"):
		side, f.Hint = "a policy denies it explicitly", "no statement added elsewhere helps: find the Deny that AWS names, and make an exception in it for "+who
	case strings.Contains(message, "no resource-based policy"):
		side, f.Hint = "the repository policy does not allow it", resourceFix
	case strings.Contains(message, "no identity-based policy"):
		side, f.Hint = "the identity policy of "+who+" does not allow it", identityFix
		if account != registry.AccountID {
			f.Hint += "; if it is still denied then, " + resourceFix
		}
	case account == registry.AccountID:
		side, f.Hint = "AWS does not say which policy refused", identityFix
	default:
		side, f.Hint = "AWS does not say which policy refused, and across accounts both must allow it", identityFix+"; and "+resourceFix
	}
	f.Err = &denial{"access denied: " + side + "; AWS says: " + message, err}
	return &fault.Misconfiguration{Fault: f}
}

// denial is AWS's refusal in our words.
type denial struct {
	text string
	error
}

func (d *denial) Error() string { return d.text }
func (d *denial) Unwrap() error { return d.error }
