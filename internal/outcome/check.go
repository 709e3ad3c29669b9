package outcome

import (
	"fmt"
	"regexp"
	"sync"

	"deployer/internal/image"
)

// forms match what names parts of a deployment in ECS.
var forms = sync.OnceValue(func() (f struct{ service, revision, deployment *regexp.Regexp }) {
	f.service = regexp.MustCompile(`^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:service/[A-Za-z0-9_/-]+$`)
	f.revision = regexp.MustCompile(`^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]+:[0-9]+$`)
	f.deployment = regexp.MustCompile(`^ecs-svc/[0-9A-Za-z-]+$`)
	return f
})

// check returns what is wrong with the fields that are set.
func (o Outcome) check() (errs []error) {
	fail := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	form := forms()
	fail(o.Time.IsZero(), "time is missing")
	fail(o.ServiceARN != "" && !form.service.MatchString(o.ServiceARN), "%q is not the ARN of an ECS service",
		o.ServiceARN)
	fail(o.Digest != "" && !image.ValidDigest(o.Digest), "digest %q is invalid", o.Digest)
	fail(o.Tag != "" && o.Kind != DeploymentRejected && !image.ValidTag(o.Tag), "tag %q is invalid", o.Tag)
	fail(o.DeploymentID != "" && !form.deployment.MatchString(o.DeploymentID),
		"deployment_id %q is not like ecs-svc/1234567890", o.DeploymentID)
	for _, arn := range []string{o.Revision.Before, o.Revision.After, o.RolledBackTo.Revision} {
		fail(arn != "" && !form.revision.MatchString(arn), "revision %q is not a task definition's ARN", arn)
	}
	fail(o.RolledBackTo != Revision{} && o.Kind != DeploymentFailed, "only a failure has rolled_back_to")
	fail(o.SupersededBy != Newer{} && o.Kind != DeploymentSuperseded, "only a superseded deployment has superseded_by")
	fail(o.Event != nil && o.Kind != DeploymentRejected && o.Kind != DeploymentFailed,
		"only a rejection or a failure has event")
	troubled := o.Kind == DeploymentFailed || o.Kind == DeploymentImpaired
	fail(len(o.StoppedTasks) > 0 && !troubled, "only a failure or an impairment has stopped_tasks")
	fail(o.Hook != Hook{} && o.Kind != DeploymentPaused && o.Kind != DeploymentImpaired,
		"only a pause or an impairment has hook")
	fail(o.NextRun != "" && o.Kind != DeploymentSucceeded, "only a success has next_run")
	isRun := o.Kind == FirstRunSucceeded || o.Kind == FirstRunFailed
	fail(!o.Run.IsZero() && !isRun, "only a first run has run")
	fail(o.Foreign && o.Kind == DeploymentRejected, "a rejection cannot be foreign: only an event is rejected")
	return errs
}
