package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/accounts"
)

// Task is the scheduled task of the files in examples/.
const Task = "nightly-report"

// ScheduleGroup and Schedule return the names of the schedule of the project's task in an environment.
func ScheduleGroup(env string) string { return Project + "-schedule-group-" + env + "-" + Task }

// Schedule returns the schedule's name.
func Schedule(env string) string { return Project + "-scheduler-" + Task + "-" + env }

// CreateTasks adds the project's task to the accounts of [CentralizedDev], as Terraform does: its image v1 in dev's
// registry, and in each environment its family and a schedule that holds the family's first revision.
func CreateTasks(ctx context.Context, byName map[string]*accounts.Account) error {
	if err := PushTask(ctx, byName["dev"]); err != nil {
		return err
	}
	for _, env := range Environments {
		if err := createTask(ctx, byName[env.Name], env.Name); err != nil {
			return fmt.Errorf("creating the task of environment %q: %w", env.Name, err)
		}
	}
	return nil
}

func createTask(ctx context.Context, a *accounts.Account, env string) error {
	image := accounts.Dev + ".dkr.ecr." + accounts.Region + ".amazonaws.com/" + Project + "_task_" + Task + ":v1"
	role := "arn:aws:iam::" + a.ID + ":role/" + Project
	definition, err := a.Family(ctx, Task, Project+"_container_"+Task+"_"+env, image,
		func(in *ecs.RegisterTaskDefinitionInput) {
			in.TaskRoleArn = aws.String(role + "_" + Task + "_task_" + env)
			in.ExecutionRoleArn = aws.String(role + "_scheduler_" + Task + "_task_execution_" + env)
		})
	if err != nil {
		return err
	}
	if err := a.ScheduleGroup(ctx, ScheduleGroup(env)); err != nil {
		return err
	}
	return a.Schedule(ctx, Schedule(env), fmt.Sprintf(`{"GroupName":%q,"FlexibleTimeWindow":{"Mode":"OFF"},
		"ScheduleExpression":"cron(0 3 * * ? *)","ScheduleExpressionTimezone":"Europe/Zurich","Target":{
		"Arn":"arn:aws:ecs:%s:%s:cluster/%s","RoleArn":"%s_scheduler_%s_role_%s","EcsParameters":{
		"TaskDefinitionArn":%q,"LaunchType":"FARGATE","TaskCount":1,"NetworkConfiguration":{"awsvpcConfiguration":{
		"Subnets":["subnet-1"],"AssignPublicIp":"DISABLED"}}},"Input":"{\"containerOverrides\":[]}"}}`, ScheduleGroup(env),
		accounts.Region, a.ID, ClusterName(env), role, Task, env, definition))
}
