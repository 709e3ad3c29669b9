package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/iam"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
)

// operators is the step in which people look after production, with the rights of `deployer policy operator`.
var operators = patternStep{
	title: "A person with the rights of `deployer policy operator` looks after prod.",
	run: func(ctx context.Context, r *patternRun) error {
		if err := r.addOperator(ctx); err != nil {
			return err
		}
		for _, line := range []string{
			"status -f prod.yaml", "history -f prod.yaml backend", "diff -f prod.yaml backend v1",
			"resolve -f prod.yaml backend v1 --check", "doctor -f prod.yaml",
			"deploy -f prod.yaml web-api v1 --force --follow", "redeploy -f prod.yaml web-api --force --follow",
			"rollback -f prod.yaml backend --to 1 --follow",
			"deploy -f prod.yaml task:nightly-report v1", "run -f prod.yaml task:nightly-report --follow",
			"send -f prod.yaml web-api v1 --bus arn:aws:events:us-east-1:333333333333:event-bus/default",
			"events -f prod.yaml", "logs -f prod.yaml", "redrive -f prod.yaml --yes",
		} {
			if err := r.before(ctx, line); err != nil {
				return err
			}
			err := r.command(ctx, operator, line)
			r.cloud.AWS.EncryptQueue(failedQueue, "")
			if err != nil && !slices.Contains(lookers, strings.Fields(line)[0]) {
				return err
			}
			printRow(r.out, "prod", "allowed", "deployer "+line)
		}
		return nil
	},
	want:     []string{"prod unchanged"},
	rollouts: 3,
}

// failedQueue is production's failure queue.
const failedQueue = "arn:aws:sqs:" + accounts.Region + ":" + accounts.Prod + ":" + cloud.Project +
	"_deployer_failed_prod"

// before changes what the command of a line then finds: a queue with a key that an alias names, and a schedule whose
// runs get the tags of their revision.
func (r *patternRun) before(ctx context.Context, line string) error {
	switch command, _, _ := strings.Cut(line, " "); command {
	case "doctor":
		r.cloud.AWS.AliasKey(accounts.Prod, accounts.Region, "alias/events",
			"arn:aws:kms:"+accounts.Region+":"+accounts.Prod+":key/11111111-2222-3333-4444-555555555555")
		r.cloud.AWS.EncryptQueue(failedQueue, "alias/events")
	case "run":
		return r.tagRuns(ctx)
	case "redrive":
		r.keepTaskEvent()
	}
	return nil
}

// keepTaskEvent puts an event of prod's task into the failure queue, as the function keeps it.
func (r *patternRun) keepTaskEvent() {
	function, now := cloud.Project+"_deployer_prod", time.Now().UTC().Format(time.RFC3339)
	r.cloud.AWS.PutMessage(failedQueue, emulator.Message{SenderID: api.RoleID(accounts.Prod, function) + ":" + function,
		Body: fmt.Appendf(nil, `{"kind":"deployer.kept-event","schema":1,"function":"arn:aws:lambda:%s:%s:function:%s",
			"time":%q,"outcome":"Deployment Rejected","detail":{"schema":1,"message":"no","event":{"id":"kept",
			"detail-type":"DEPLOY","source":"action.prod","time":%[4]q,
			"detail":{"service":"task:nightly-report","tag":"git-abc123f"}}}}`,
			accounts.Region, accounts.Prod, function, now)})
}

// tagRuns makes the schedule of prod's task give its runs the tags of their revision.
func (r *patternRun) tagRuns(ctx context.Context) error {
	a := r.cloud.Accounts["prod"]
	raw, err := a.ReadSchedule(ctx, cloud.ScheduleGroup("prod"), cloud.Schedule("prod"))
	if err != nil {
		return err
	}
	var schedule map[string]any
	if err := json.Unmarshal(raw, &schedule); err != nil {
		return err
	}
	for _, member := range []string{"Arn", "CreationDate", "LastModificationDate", "Name"} {
		delete(schedule, member) // which UpdateSchedule does not have
	}
	parameters, ok := schedule["Target"].(map[string]any)["EcsParameters"].(map[string]any)
	if !ok {
		return fmt.Errorf("schedule %q starts no task: %s", cloud.Schedule("prod"), raw)
	}
	parameters["PropagateTags"] = "TASK_DEFINITION"
	body, err := json.Marshal(schedule)
	if err != nil {
		return err
	}
	_, err = a.Send(ctx, http.MethodPut, "scheduler", "schedules/"+cloud.Schedule("prod"), "", string(body))
	return err
}

// lookers are the commands that report by their exit code that something is not as it should be.
var lookers = []string{"status", "diff", "doctor", "redrive"}

// operator is the role of a person who operates production.
const operator = accounts.Prod + "/operator"

// addOperator gives the role its rights.
func (r *patternRun) addOperator(ctx context.Context) error {
	text, err := r.output(ctx, "policy operator -f prod.yaml")
	if err != nil {
		return err
	}
	d, err := iam.Parse(text)
	if err != nil {
		return err
	}
	r.cloud.AWS.SetRolePolicy(accounts.Prod, "operator", d)
	r.permissions.addRole(r.jobs.arn(operator), d)
	return nil
}

// failing is the step in which a person deploys an image whose tasks do not start, and reads why.
var failing = patternStep{
	title: "The person deploys the broken image. The command prints the last lines of its container.",
	run: func(ctx context.Context, r *patternRun) error {
		const line = "deploy -f prod.yaml backend git-bad0000 --follow"
		err := r.command(ctx, operator, line)
		if err == nil || !strings.Contains(err.Error(), "no database") {
			return fmt.Errorf("the command ended with %w, and should print what the container printed", err)
		}
		printRow(r.out, "prod", "allowed", "deployer "+line)
		return nil
	},
	rollouts: 1,
	ends:     "failed",
}

// pausing is the step in which a rollout waits for a person. Another one moved the service by hand, so that the command
// reads from ECS which revisions have failed.
var pausing = patternStep{
	title: "A rollout of prod pauses, and someone moves the service back by hand. The person deploys again, and " +
		"continues.",
	run: func(ctx context.Context, r *patternRun) error {
		if err := r.pauseRollouts(ctx, "backend"); err != nil {
			return err
		}
		const line = "deploy -f prod.yaml backend v1 --force"
		if err := r.command(ctx, operator, line); err != nil {
			return err
		}
		printRow(r.out, "prod", "allowed", "deployer "+line)
		if err := r.moveByHand(ctx, "backend"); err != nil {
			return err
		}
		if err := r.command(ctx, operator, line); err != nil {
			return err
		}
		printRow(r.out, "prod", "allowed", "deployer "+line)
		const onward = "continue -f prod.yaml backend"
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		for { // until it is paused
			err := r.command(ctx, operator, onward)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return err
			}
		}
		printRow(r.out, "prod", "allowed", "deployer "+onward)
		return nil
	},
	rollouts: 1,
}

// moveByHand moves a service of prod to its first revision, as its account's administrator, in another second than what
// happened before: the deployer orders rollouts by seconds.
func (r *patternRun) moveByHand(ctx context.Context, service string) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(time.Now().Truncate(time.Second).Add(time.Second))):
	}
	name := cloud.ServiceName(service, "prod")
	_, err := r.cloud.Accounts["prod"].ECS.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(cloud.ClusterName("prod")), Service: aws.String(name),
		TaskDefinition: aws.String(name + ":1")})
	if err == nil {
		printRow(r.out, "prod", "moved", "an administrator: aws ecs update-service --task-definition "+name+":1")
	}
	return err
}

// pauseRollouts makes rollouts of a service of prod pause after their tasks have started, as its infrastructure does.
func (r *patternRun) pauseRollouts(ctx context.Context, service string) error {
	_, err := r.cloud.Accounts["prod"].ECS.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(cloud.ClusterName("prod")), Service: aws.String(cloud.ServiceName(service, "prod")),
		DeploymentConfiguration: &ecstypes.DeploymentConfiguration{
			Strategy:                 ecstypes.DeploymentStrategyBlueGreen,
			BakeTimeInMinutes:        aws.Int32(0),
			DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true},
			LifecycleHooks: []ecstypes.DeploymentLifecycleHook{{
				TargetType:      ecstypes.DeploymentLifecycleHookTargetTypePause,
				LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{"POST_SCALE_UP"},
				TimeoutConfiguration: &ecstypes.DeploymentLifecycleHookTimeoutConfiguration{
					TimeoutInMinutes: aws.Int32(60)},
			}},
		}})
	return err
}
