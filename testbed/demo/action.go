package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// An action is what a step does.
type action func(context.Context, *patternRun) error

const (
	backendRepository = cloud.Project + "_backend"
	taskRepository    = cloud.Project + "_task_" + cloud.Task
)

// all does one action after the other.
func all(actions ...action) action {
	return func(ctx context.Context, r *patternRun) error {
		for _, do := range actions {
			if err := do(ctx, r); err != nil {
				return err
			}
		}
		return nil
	}
}

// runs runs the command line as a role.
func runs(role, line string) action {
	return func(ctx context.Context, r *patternRun) error { return r.command(ctx, role, line) }
}

// pushes is the build job of an environment.
func pushes(env, repository, content string, tags ...string) action {
	return func(ctx context.Context, r *patternRun) error {
		_, err := r.jobs.dockerPush(ctx, build(env), repository, content, tags...)
		return err
	}
}

// puts sends a DEPLOY event as the administrator of an account, on that account's bus.
func puts(account, source, detail string) action {
	return func(ctx context.Context, r *patternRun) error {
		return r.putEvent(ctx, account, source, "DEPLOY", detail)
	}
}

// breaks deploys the image git-bad0000 in every environment with the role of the deploy job, which follows it to its
// end: the command fails, and says why.
func breaks(bring action) action {
	return func(ctx context.Context, r *patternRun) error {
		digest := accounts.DigestOf("backend broken")
		r.cloud.AWS.FailImage(digest)
		r.cloud.AWS.Print(digest, "no database")
		if err := bring(ctx, r); err != nil {
			return err
		}
		for _, e := range cloud.Environments {
			err := r.command(ctx, deploy(e.Name), "send -f "+e.Name+".yaml backend git-bad0000 --follow")
			if err == nil || !strings.Contains(err.Error(), " failed: ") {
				return fmt.Errorf("the command ended with %w, and should say why the rollout failed", err)
			}
		}
		return nil
	}
}

// missingTag is the step of an event whose image does not exist.
var missingTag = patternStep{
	title: "A DEPLOY event for a tag that does not exist, in every environment.",
	run: func(ctx context.Context, r *patternRun) error {
		for _, e := range cloud.Environments {
			if err := puts(e.Account, "action."+e.Name, missing)(ctx, r); err != nil {
				return err
			}
		}
		return nil
	},
	want: []string{"dev rejected", "staging rejected", "prod rejected"},
}

// pulls is the step in which tasks start.
var pulls = patternStep{
	title: "Tasks pull what runs, with the execution role of each service.",
	run: func(ctx context.Context, r *patternRun) error {
		for _, e := range cloud.Environments {
			for _, w := range cloud.Workloads {
				if err := r.pull(ctx, e.Name, w.Name, w.Repository); err != nil {
					return err
				}
			}
			printRow(r.out, e.Name, "pulled", fmt.Sprintf("%d images", len(cloud.Workloads)))
		}
		return nil
	},
}

// pull pulls the image that a service runs, as its execution role.
func (r *patternRun) pull(ctx context.Context, env, workload, repository string) error {
	a := r.cloud.Accounts[env]
	runs, err := a.Runs(ctx, cloud.ClusterName(env), cloud.ServiceName(workload, env))
	if err != nil {
		return err
	}
	reference := aws.ToString(runs.TaskDefinition.ContainerDefinitions[0].Image)
	registry, _, _ := strings.Cut(reference, ".")
	_, digest, pinned := strings.Cut(reference, "@")
	if !pinned {
		digest = accounts.DigestOf(workload + " v1")
	}
	return pull(ctx, a.As(cloud.ExecutionRole(workload, env)), registry, repository, digest)
}

// away is the step of an event that no function accepts.
var away = patternStep{
	title: "An event comes while no function accepts any: the rule keeps it in the dead-letter queue.",
	run: func(ctx context.Context, r *patternRun) error {
		for _, e := range cloud.Environments {
			queue := "arn:aws:sqs:us-east-1:" + e.Account + ":" + cloud.Project + "_deployer_undelivered_" + e.Name
			err := r.cloud.WithoutFunction(ctx, e.Name, func() error {
				return puts(e.Account, "action."+e.Name, missing)(ctx, r)
			})
			if err != nil {
				return err
			}
			if n := len(r.cloud.AWS.Queue(queue)); n != 1 {
				return fmt.Errorf("%d events are in %s, want 1", n, queue)
			}
			printRow(r.out, e.Name, "kept", "in "+cloud.Project+"_deployer_undelivered_"+e.Name)
		}
		return nil
	},
}

// reports is the step in which deploy jobs follow what runs already.
var reports = patternStep{
	title: "The deploy jobs of dev and staging send the task's DEPLOY event too, and follow it:\n" +
		"   deployer send -f ENV.yaml task:nightly-report git-abc123f --follow",
	run: all(runs(deploy("dev"), "send -f dev.yaml task:nightly-report git-abc123f --follow"),
		runs(deploy("staging"), "send -f staging.yaml task:nightly-report git-abc123f --follow")),
	want: []string{"dev unchanged", "staging unchanged"},
}

// A refusal is something that AWS denies.
type refusal struct {
	env, what string
	do        action
}

// refused does what AWS denies.
func refused(refusals ...refusal) action {
	return func(ctx context.Context, r *patternRun) error {
		for _, f := range refusals {
			err := r.permissions.refusing(func() error { return f.do(ctx, r) })
			var denied smithy.APIError
			if !errors.As(err, &denied) || !strings.HasPrefix(denied.ErrorCode(), "AccessDenied") {
				return fmt.Errorf("%s: %w, want AccessDenied", f.what, err)
			}
			printRow(r.out, f.env, "denied", f.what)
		}
		return nil
	}
}

// assumes asks for a role with the token of a job of an environment.
func assumes(env, role string) action {
	return func(ctx context.Context, r *patternRun) error {
		_, err := r.jobs.assume(ctx, role, env)
		return err
	}
}

// sends puts a DEPLOY event for prod on an account's bus as a role.
func sends(role, account string) action {
	return func(ctx context.Context, r *patternRun) error {
		a, err := r.jobs.assume(ctx, role, r.jobs.roles[role])
		if err != nil {
			return err
		}
		_, err = eventbridge.NewFromConfig(a.Config).PutEvents(ctx, &eventbridge.PutEventsInput{
			Entries: []types.PutEventsRequestEntry{{Source: aws.String("action.production"),
				DetailType: aws.String("DEPLOY"), Detail: aws.String(missing),
				EventBusName: aws.String("arn:aws:events:us-east-1:" + account + ":event-bus/default")}}})
		return err
	}
}

// pushesAs begins a push to an account's registry as a role.
func pushesAs(role, account string) action {
	return func(ctx context.Context, r *patternRun) error {
		a, err := r.jobs.assume(ctx, role, r.jobs.roles[role])
		if err != nil {
			return err
		}
		return a.BeginUpload(ctx, account, backendRepository)
	}
}

// reads reads an image of an account's registry as a role.
func reads(role, account string) action {
	return func(ctx context.Context, r *patternRun) error {
		a, err := r.jobs.assume(ctx, role, r.jobs.roles[role])
		if err != nil {
			return err
		}
		return readImage(ctx, a, account, backendRepository, accounts.DigestOf("backend v1"))
	}
}

// enqueues puts an event into the queues of an environment, as the administrator of its account.
func enqueues(env string) action {
	return func(ctx context.Context, r *patternRun) error {
		return r.enqueue(ctx, env, sqs.NewFromConfig(r.cloud.Accounts[env].Config))
	}
}

// enqueuesPlainly puts an event into the queues of an environment, as the deployer's function and without TLS.
func enqueuesPlainly(env string) action {
	return func(ctx context.Context, r *patternRun) error {
		function := r.cloud.Accounts[env].As(cloud.Project + "_deployer_" + env)
		return r.enqueue(ctx, env, sqs.NewFromConfig(function.Config, sqs.WithAPIOptions(
			smithyhttp.SetHeaderValue("X-Forwarded-Proto", "http"))))
	}
}

// enqueue puts an event into both queues of an environment. It returns nil if one of them accepts it.
func (r *patternRun) enqueue(ctx context.Context, env string, client *sqs.Client) (denied error) {
	for _, kind := range []string{"failed", "undelivered"} {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{MessageBody: aws.String("{}"), QueueUrl: aws.String(
			"https://sqs.us-east-1.amazonaws.com/" + r.cloud.Accounts[env].ID + "/" + cloud.Project + "_deployer_" +
				kind + "_" + env)})
		if err == nil {
			return nil
		}
		denied = err
	}
	return denied
}
