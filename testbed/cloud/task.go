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

// RuleOf returns the name of the rule that starts an event-processor task in an environment.
func RuleOf(task, env string) string { return Project + "_rule_" + task + "_" + env }

// CreateTask adds a scheduled task to an environment, as Terraform does: its family, which runs the image v1 of dev's
// registry, a schedule that holds the family's first revision, and the role by which it starts the task.
func CreateTask(ctx context.Context, a *accounts.Account, task, env string) error {
	return createTask(ctx, a, accounts.Dev, task, task, env)
}

// createTask is [CreateTask] with the image v1 of any registry, and any family.
func createTask(ctx context.Context, a *accounts.Account, registry, family, task, env string) error {
	definition, err := registerTask(ctx, a, registry, family, task, env)
	if err != nil {
		return err
	}
	role := fmt.Sprintf("%s_scheduler_%s_role_%s", Project, task, env)
	if err := createStartRole(ctx, a, role, family, task, env, "scheduler.amazonaws.com"); err != nil {
		return err
	}
	if err := a.ScheduleGroup(ctx, ScheduleGroupOf(task, env)); err != nil {
		return err
	}
	return a.Schedule(ctx, ScheduleOf(task, env), fmt.Sprintf(`{"GroupName":%q,"FlexibleTimeWindow":{"Mode":"OFF"},
		"ScheduleExpression":"cron(0 3 * * ? *)","ScheduleExpressionTimezone":"Europe/Zurich","Target":{%s}}`,
		ScheduleGroupOf(task, env), targetOf(a, role, env, definition)))
}

// CreateEventTask adds an event-processor task to an environment, as Terraform does: its family, which runs the image
// v1 of dev's registry, a rule with a target that holds the family's first revision, and the role by which it starts
// the task: by convention the task's execution role, which Terraform has to allow that too.
func CreateEventTask(ctx context.Context, a *accounts.Account, task, env string) error {
	definition, err := registerTask(ctx, a, accounts.Dev, task, task, env)
	if err != nil {
		return err
	}
	role := executionRole(task, env)
	if err := createStartRole(ctx, a, role, task, task, env, "events.amazonaws.com"); err != nil {
		return err
	}
	return a.Rule(ctx, RuleOf(task, env), `{"Id":"task",`+targetOf(a, role, env, definition)+"}")
}

// taskRole returns the name of the role that a task's containers have.
func taskRole(task, env string) string { return fmt.Sprintf("%s_%s_task_%s", Project, task, env) }

// executionRole returns the name of a task's execution role.
func executionRole(task, env string) string {
	return fmt.Sprintf("%s_scheduler_%s_task_execution_%s", Project, task, env)
}

// createStartRole creates the role by which a service of AWS starts a task.
func createStartRole(ctx context.Context, a *accounts.Account, role, family, task, env, service string) error {
	prefix := "arn:aws:iam::" + a.ID + ":role/"
	return a.Role(ctx, role, service, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ecs:RunTask","Resource":"arn:aws:ecs:%s:%s:task-definition/%s:*",
			"Condition":{"ArnEquals":{"ecs:cluster":"arn:aws:ecs:%[1]s:%[2]s:cluster/%[4]s"}}},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":["%[5]s%[6]s","%[5]s%[7]s"],
			"Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}]}`,
		accounts.Region, a.ID, family, ClusterName(env), prefix, taskRole(task, env), executionRole(task, env)))
}

// registerTask registers the first revision of a task's family, and returns its ARN.
func registerTask(ctx context.Context, a *accounts.Account, registry, family, task, env string,
) (arn string, err error) {
	image := registry + ".dkr.ecr." + accounts.Region + ".amazonaws.com/" + Project + "_task_" + task + ":v1"
	prefix := "arn:aws:iam::" + a.ID + ":role/"
	return a.Family(ctx, family, Project+"_container_"+task+"_"+env, image,
		func(in *ecs.RegisterTaskDefinitionInput) {
			in.TaskRoleArn = aws.String(prefix + taskRole(task, env))
			in.ExecutionRoleArn = aws.String(prefix + executionRole(task, env))
		})
}

// targetOf returns the members of a target that starts a task by a role, without its id.
func targetOf(a *accounts.Account, role, env, definition string) string {
	return fmt.Sprintf(`"Arn":"arn:aws:ecs:%s:%s:cluster/%s","RoleArn":"arn:aws:iam::%s:role/%s",
		"EcsParameters":{"TaskDefinitionArn":%q,"LaunchType":"FARGATE","TaskCount":1,"NetworkConfiguration":{
		"awsvpcConfiguration":{"Subnets":["subnet-1"],"AssignPublicIp":"DISABLED"}}},
		"Input":"{\"containerOverrides\":[]}"`, accounts.Region, a.ID, ClusterName(env), a.ID, role, definition)
}
