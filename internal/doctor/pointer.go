package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/pointer"
)

// pointers reports whether what starts a task can be moved, and what it starts.
func (f *findings) pointers(ctx context.Context, c *checker, w environment.Workload) {
	const check = "pointer"
	target := ecsservice.TargetOf(c.env, w)
	all, err := c.services.Pointers(ctx, target)
	switch {
	case errors.Is(err, fault.ErrPointerNotFound), errors.Is(err, fault.ErrPointerUnusable):
		what, hint := parts(err)
		f.add(check, Problem, what, hint)
		return
	case err != nil:
		action, first := "scheduler:GetSchedule", w.Pointers.All()[0]
		if first.Rule {
			action = "events:ListTargetsByRule"
		}
		f.notChecked(c, check, action, first.ARN(c.env), err)
		return
	}
	rules := map[string]bool{}
	for _, p := range all {
		if f.pointer(target, p, time.Now()); p.Rule && !p.Floating() && !rules[p.TaskPointer.String()] {
			rules[p.TaskPointer.String()] = true
			f.startingRule(ctx, c, p)
		}
	}
	f.passes(ctx, c, target, all)
	newest, err := c.services.DescribeRevision(ctx, target.Family)
	if errors.Is(err, fault.ErrTaskDefinitionNotFound) { // none is ACTIVE
		f.held(ctx, c, target, all, ecsservice.Revision{TaskDefinition: new(types.TaskDefinition)})
		return
	}
	if err != nil {
		f.notChecked(c, "family", "ecs:DescribeTaskDefinition", "*", err)
		return
	}
	f.sharedFamily(target, all, newest)
	if w.Repository != "" {
		f.cloned(target, newest)
	}
	f.held(ctx, c, target, all, newest)
	f.overridden(all, newest)
	f.pointerRoles(ctx, c, all, newest.TaskDefinition)
}

// pointer reports what is to be known of one pointer before it is moved.
func (f *findings) pointer(t ecsservice.Target, p pointer.Pointer, now time.Time) {
	const check = "pointer"
	holds := fmt.Sprintf("%s starts revision %d of %s", p, p.Revision(), p.Family())
	if p.Floating() {
		holds = fmt.Sprintf("%s starts the newest revision of %s", p, p.Family())
	}
	untimely, over := t.CheckTime([]pointer.Pointer{p}, now), p.Over(now)
	if untimely == nil && p.PhaseInPast() && !p.Floating() {
		f.add(check, Warning, fmt.Sprintf("%s is %s, which counts from a StartDate that is over: a deployment is "+
			"refused if AWS does not take that date back", p, p.Expression),
			"give it a later StartDate, or write a cron(…)")
	}
	switch {
	case untimely != nil:
		what, hint := parts(untimely)
		f.add(check, Problem, what, hint)
	case p.Disabled:
		f.ok(check, "%s; it is DISABLED: a deployment moves it, and it stays disabled", holds)
	case over != "":
		f.add(check, Warning, fmt.Sprintf("%s; its %s: it is ENABLED, and never runs again", holds, over),
			"give it a later end, or delete the schedule and the task of the environment file")
	default:
		f.ok(check, "%s", holds)
	}
	if p.DeadLetters == "" {
		f.ok("dead letters", "%s has no dead-letter queue: a run that AWS could not start is only counted, in a metric",
			p)
	} else {
		f.ok("dead letters", "runs that %s could not start go to %s", p, p.DeadLetters)
	}
}

// startingRule reports whether the targets of a rule that starts a task can be changed.
func (f *findings) startingRule(ctx context.Context, c *checker, p pointer.Pointer) {
	const check = "pointer"
	in := &eventbridge.DescribeRuleInput{Name: aws.String(p.Name)}
	if p.Group != "" {
		in.EventBusName = aws.String(p.Group)
	}
	rule, err := c.events.DescribeRule(ctx, in)
	switch {
	case err != nil:
		f.notChecked(c, check, "events:DescribeRule", p.TaskPointer.ARN(c.env), err)
	case aws.ToString(rule.ManagedBy) != "":
		f.add(check, Problem, fmt.Sprintf("%s is managed by %s, and AWS lets no one else change its targets",
			p.TaskPointer, aws.ToString(rule.ManagedBy)), "start the task by a rule of your own")
	case rule.State == eventtypes.RuleStateDisabled:
		f.ok(check, "%s is DISABLED: a deployment moves its target, and it stays disabled", p.TaskPointer)
	}
}

// sharedFamily reports a floating pointer whose family another environment or task registers
// revisions in too: it would start those.
func (f *findings) sharedFamily(t ecsservice.Target, all []pointer.Pointer, newest ecsservice.Revision) {
	if !t.Record(newest).Other {
		return
	}
	for _, p := range all {
		if p.Floating() {
			f.add("family", Problem, fmt.Sprintf("%s starts every new revision of family %q, and %s was registered "+
				"for another task", p, t.Family, newest.ARN()), "write the number of a revision into the pointer, or "+
				"give each environment a family of its own: deployer.workloads."+
				strings.TrimPrefix(t.Workload, environment.TaskPrefix)+".family")
		}
	}
}

// held reports pointers that hold a revision which ECS does not start, or that start another image than the journal
// says: that of the family's newest revision, if the deployer registered it for the task. That has no ARN if none is
// ACTIVE.
func (f *findings) held(ctx context.Context, c *checker, t ecsservice.Target, all []pointer.Pointer,
	newest ecsservice.Revision) {
	const check = "journal"
	last := t.Record(newest)
	for _, p := range all {
		arn := ecsservice.RevisionARN(p, newest.ARN())
		if arn == "" {
			f.add(check, Problem, fmt.Sprintf("%s starts the newest revision of %s, and none is ACTIVE: no run "+
				"starts, and deployments have none to clone", p, t.Family), "register one, with the infrastructure")
			continue
		}
		if arn == newest.ARN() {
			continue
		}
		runs, err := c.services.DescribeRevision(ctx, arn)
		switch {
		case errors.Is(err, fault.ErrTaskDefinitionNotFound):
			f.add(check, Problem, fmt.Sprintf("%s starts %s, which does not exist: no run starts", p, arn),
				"deploy an image: "+t.Command("deploy")+" TAG")
		case err != nil:
			f.notChecked(c, check, "ecs:DescribeTaskDefinition", "*", err)
		case runs.Inactive():
			f.add(check, Problem, fmt.Sprintf("%s starts %s, which is INACTIVE: no run starts", p, arn),
				"deploy again: "+t.Command("redeploy"))
		case !last.Foreign && t.Identity(runs) != t.Identity(newest):
			record := t.Record(runs)
			f.add(check, Warning, fmt.Sprintf("%s starts revision %d (%s), and the newest deployment is revision %d "+
				"(%s)", p, record.Revision, tagOr(record.Tag, record.Image), last.Revision,
				tagOr(last.Tag, last.Image)),
				"another tool moved it, or the deployment is not complete: "+t.Command("history"))
		}
	}
}

// overridden reports pointers whose input overrides a container that the family's newest revision does not have: ECS
// rejects the run ("Override for container named django is not a container in the TaskDefinition.",
// azavea/django-ecsmanage#21).
func (f *findings) overridden(all []pointer.Pointer, newest ecsservice.Revision) {
	for _, p := range all {
		var input struct{ ContainerOverrides []struct{ Name string } }
		if p.FromEvent() || json.Unmarshal([]byte(p.Input), &input) != nil {
			continue
		}
		for _, o := range input.ContainerOverrides {
			has := func(c types.ContainerDefinition) bool { return aws.ToString(c.Name) == o.Name }
			if o.Name != "" && !slices.ContainsFunc(newest.TaskDefinition.ContainerDefinitions, has) {
				f.add("pointer", Problem, fmt.Sprintf("the input of %s overrides the container %q, which %s does not "+
					"have: no run of it starts", p, o.Name, newest.ARN()),
					"correct the input, with the infrastructure; to see it: "+p.Look())
			}
		}
	}
}

// tagOr returns the tag of an image, or its reference if it has none.
func tagOr(tag, image string) string {
	if tag == "" {
		return image
	}
	return tag
}
