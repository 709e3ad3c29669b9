package access

import (
	"fmt"
	"slices"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// scope holds the ARNs of what an environment's deployments use.
type scope struct {
	env       *environment.Environment
	partition string
}

func newScope(env *environment.Environment) (scope, error) {
	if _, err := busARN(env); err != nil {
		return scope{}, err
	}
	return scope{env, image.PartitionOf(env.Region).Name}, nil
}

// arn returns the ARN of a resource of the environment's account.
func (s scope) arn(service, resource string) string {
	region := s.env.Region
	if service == "iam" {
		region = ""
	}
	return "arn:" + s.partition + ":" + service + ":" + region + ":" + s.env.AccountID + ":" + resource
}

// services returns the services of the environment's cluster. Those of before 2019 may
// have an ARN without the cluster; the condition limits them too.
func (s scope) services() []string {
	return []string{s.arn("ecs", "service/"+s.env.Cluster+"/*"), s.arn("ecs", "service/"+s.env.Project+"_service_*")}
}

// inCluster limits a statement to the environment's cluster.
func (s scope) inCluster() condition {
	return condition{"ArnEquals": {"ecs:cluster": s.arn("ecs", "cluster/"+s.env.Cluster)}}
}

// families returns the task definition families of the workloads that can be deployed.
func (s scope) families() (all []string) {
	for _, w := range s.env.Workloads {
		if arn := s.arn("ecs", "task-definition/"+w.Family+":*"); w.Deployable() && !slices.Contains(all, arn) {
			all = append(all, arn)
		}
	}
	return all
}

// taskFamilies returns the revisions of the tasks that can be deployed.
func (s scope) taskFamilies() (all []string) {
	for _, w := range s.env.Workloads {
		if !w.HasService() && w.Deployable() {
			all = append(all, s.arn("ecs", "task-definition/"+w.Family+":*"))
		}
	}
	return all
}

// runTasks returns the tasks that run in the cluster, none if the environment has no tasks.
func (s scope) runTasks() (all []string) {
	if len(s.taskFamilies()) > 0 {
		all = append(all, s.arn("ecs", "task/"+s.env.Cluster+"/*"))
	}
	return all
}

// roles returns the task and execution roles of these workloads, by their conventional
// names.
func (s scope) roles() (all []string) {
	for _, w := range s.env.Workloads {
		for _, name := range s.env.Roles(w) {
			if arn := s.arn("iam", "role/"+name); w.Deployable() && !slices.Contains(all, arn) {
				all = append(all, arn)
			}
		}
	}
	return all
}

// pointers returns the schedules that start the environment's tasks, and the rules that do.
func (s scope) pointers() (schedules, rules []string) {
	for _, w := range s.env.Workloads {
		for _, p := range w.Pointers.All() {
			list := &schedules
			if p.Rule {
				list = &rules
			}
			if arn := p.ARN(s.env); !slices.Contains(*list, arn) {
				*list = append(*list, arn)
			}
		}
	}
	return schedules, rules
}

// repositories returns the repositories of the workloads that can be deployed.
func (s scope) repositories() []string { return s.repositoriesOf(environment.Workload.Deployable) }

// allRepositories returns those of all workloads.
func (s scope) allRepositories() []string {
	return s.repositoriesOf(func(environment.Workload) bool { return true })
}

// ownRepositories returns those of the environment's account: their policies cannot be
// read from another one.
func (s scope) ownRepositories() []string {
	return s.repositoriesOf(func(w environment.Workload) bool {
		return w.Registry.AccountID == "" || w.Registry.AccountID == s.env.AccountID
	})
}

func (s scope) repositoriesOf(wanted func(environment.Workload) bool) (all []string) {
	for _, w := range s.env.Workloads {
		if w.Repository == "" || !wanted(w) {
			continue
		}
		registry := w.Registry
		if registry.AccountID == "" {
			registry.AccountID = s.env.AccountID
		}
		if arn := registry.RepositoryARN(w.Repository); !slices.Contains(all, arn) {
			all = append(all, arn)
		}
	}
	return all
}

// own returns the repositories of the environment's own registry, if its strategy is
// local: those of tasks too.
func (s scope) own() (all []string) {
	if s.env.Strategy.Name != environment.Local {
		return nil
	}
	for _, r := range repositories(s.env, func(r image.Registry) bool { return !foreign(s.env, r) }) {
		all = append(all, r.registry.RepositoryARN(r.name))
	}
	return all
}

// pushing returns the statements for `docker push` to repositories.
func pushing(repositories []string) []statement {
	return []statement{
		{Sid: "LogInToRegistry", Action: "ecr:GetAuthorizationToken", Resource: "*"}, // it has no resource
		{Sid: "PushImages", Action: pushes, Resource: named(repositories)},
	}
}

// sending returns the statement for the DEPLOY events of the environment; none if it
// accepts no DEPLOY event.
func (s scope) sending() []statement {
	if len(s.env.DeploySources) == 0 {
		return nil
	}
	return []statement{putting("SendDeployEvents", s.arn("events", "event-bus/default"), deploys, s.env.DeploySources)}
}

// readServices reads services, their rollouts and their task definitions. A service
// deployment is authorized on itself and on its service.
func (s scope) readServices() []statement {
	return []statement{
		{Sid: "ReadTaskDefinitions", Action: "ecs:DescribeTaskDefinition", Resource: "*"}, // it has no resource
		{Sid: "ReadRollouts",
			Action:    []string{"ecs:DescribeServiceDeployments", "ecs:DescribeServices", "ecs:ListServiceDeployments"},
			Resource:  append(s.services(), s.arn("ecs", "service-deployment/"+s.env.Cluster+"/*")),
			Condition: s.inCluster()},
	}
}

// readTasks reads why tasks stop. ListTasks has no resource but the cluster of its
// condition.
func (s scope) readTasks() statement {
	return statement{Sid: "ReadTasks", Action: []string{"ecs:DescribeTasks", "ecs:ListTasks"}, Resource: "*",
		Condition: s.inCluster()}
}

// following returns the statements for `deployer send --follow` besides the event itself:
// it checks the tag first, and reads the rollout until its end, or what starts a task.
func (s scope) following() []statement {
	statements := append(s.readServices(), s.readTasks(), s.readDecisions())
	schedules, rules := s.pointers()
	if len(schedules) > 0 {
		statements = append(statements,
			statement{Sid: "ReadSchedules", Action: "scheduler:GetSchedule", Resource: named(schedules)})
	}
	if len(rules) > 0 {
		statements = append(statements,
			statement{Sid: "ReadRuleTargets", Action: "events:ListTargetsByRule", Resource: named(rules)})
	}
	if all := s.repositories(); len(all) > 0 {
		statements = append([]statement{{Sid: "FindImages", Action: "ecr:BatchGetImage", Resource: named(all)}},
			statements...)
	}
	return statements
}

// readDecisions lets what follows an event end at once if the function rejects or ignores it, and say that the rule is
// missing if nothing takes it.
func (s scope) readDecisions() statement {
	return statement{Sid: "ReadDecisions", Action: []string{"events:DescribeRule", "logs:FilterLogEvents"},
		Resource: []string{s.arn("events", "rule/"+s.env.RuleName("deploy")),
			s.arn("logs", "log-group:/aws/lambda/"+s.env.FunctionName()+":*")}}
}

// distinct returns an error if two files are of one environment, or of two projects.
func distinct(envs []*environment.Environment) error {
	for i, env := range envs {
		j := slices.IndexFunc(envs[:i], func(e *environment.Environment) bool {
			return e.Name == env.Name && e.Project == env.Project
		})
		if j >= 0 {
			return fmt.Errorf("%s and %s are both environment %s of %s: name each environment once", envs[j].File,
				env.File, env.Name, env.Project)
		}
		if env.Project != envs[0].Project {
			return fmt.Errorf("%s is of project %s, and %s of %s: name the files of one project", envs[0].File,
				envs[0].Project, env.File, env.Project)
		}
	}
	return nil
}
