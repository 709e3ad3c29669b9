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
func ScheduleGroup(env string) string { return ScheduleGroupOf(Task, env) }

// Schedule returns the schedule's name.
func Schedule(env string) string { return ScheduleOf(Task, env) }

// ScheduleGroupOf and ScheduleOf return the names of the schedule of any task in an environment.
func ScheduleGroupOf(task, env string) string { return Project + "-schedule-group-" + env + "-" + task }

// ScheduleOf returns the schedule's name.
func ScheduleOf(task, env string) string { return Project + "-scheduler-" + task + "-" + env }

// CreateTasks adds the project's task to the accounts of [CentralizedDev], as Terraform does: its image v1 in dev's
// registry, and in each environment its family and a schedule that holds the family's first revision.
func CreateTasks(ctx context.Context, byName map[string]*accounts.Account) error {
	if err := PushTask(ctx, byName["dev"]); err != nil {
		return err
	}
	for _, env := range Environments {
		if err := CreateTask(ctx, byName[env.Name], Task, env.Name); err != nil {
			return fmt.Errorf("creating the task of environment %q: %w", env.Name, err)
		}
	}
	return nil
}

// CreateTask adds a scheduled task to an environment, as Terraform does: its family, which runs the image v1 of dev's
// registry, a schedule that holds the family's first revision, and the role by which it starts the task.
func CreateTask(ctx context.Context, a *accounts.Account, task, env string) error {
	image := accounts.Dev + ".dkr.ecr." + accounts.Region + ".amazonaws.com/" + Project + "_task_" + task + ":v1"
	role := "arn:aws:iam::" + a.ID + ":role/" + Project
	definition, err := a.Family(ctx, task, Project+"_container_"+task+"_"+env, image,
		func(in *ecs.RegisterTaskDefinitionInput) {
			in.TaskRoleArn = aws.String(role + "_" + task + "_task_" + env)
			in.ExecutionRoleArn = aws.String(role + "_scheduler_" + task + "_task_execution_" + env)
		})
	if err != nil {
		return err
	}
	starts := fmt.Sprintf("%s_scheduler_%s_role_%s", Project, task, env)
	if err := a.Role(ctx, starts, "scheduler.amazonaws.com", fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ecs:RunTask","Resource":"arn:aws:ecs:%s:%s:task-definition/%s:*",
			"Condition":{"ArnEquals":{"ecs:cluster":"arn:aws:ecs:%[1]s:%[2]s:cluster/%[4]s"}}},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":["%[5]s_%[3]s_task_%[6]s",
			"%[5]s_scheduler_%[3]s_task_execution_%[6]s"],
			"Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}]}`,
		accounts.Region, a.ID, task, ClusterName(env), role, env)); err != nil {
		return err
	}
	if err := a.ScheduleGroup(ctx, ScheduleGroupOf(task, env)); err != nil {
		return err
	}
	return a.Schedule(ctx, ScheduleOf(task, env), fmt.Sprintf(`{"GroupName":%q,"FlexibleTimeWindow":{"Mode":"OFF"},
		"ScheduleExpression":"cron(0 3 * * ? *)","ScheduleExpressionTimezone":"Europe/Zurich","Target":{
		"Arn":"arn:aws:ecs:%s:%s:cluster/%s","RoleArn":"%s_scheduler_%s_role_%s","EcsParameters":{
		"TaskDefinitionArn":%q,"LaunchType":"FARGATE","TaskCount":1,"NetworkConfiguration":{"awsvpcConfiguration":{
		"Subnets":["subnet-1"],"AssignPublicIp":"DISABLED"}}},"Input":"{\"containerOverrides\":[]}"}}`,
		ScheduleGroupOf(task, env),
		accounts.Region, a.ID, ClusterName(env), role, task, env, definition))
}
