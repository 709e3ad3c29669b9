package access

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// Need is what one command of the command line needs: its IAM actions, such as
// ecs:DescribeServices.
type Need struct {
	Command string
	Actions []string
}

// maxManaged is how many characters a managed policy may have, without white space ("IAM and
// AWS STS quotas" in the IAM user guide).
const maxManaged = 6144

// packed returns the characters of a policy without white space.
func packed(d document) int {
	return len(strings.Join(strings.Fields(text(d, "")), ""))
}

// Operator returns the policy of people who run commands for an environment, with one
// statement for each kind of resource. A note for each command names its statements. Part is
// a part of the policy's name, if it is one of several; else "".
func Operator(env *environment.Environment, part string, needs []Need) (Policy, error) {
	s, err := newScope(env)
	if err != nil {
		return Policy{}, err
	}
	var notes []string
	for _, need := range needs {
		sids, err := s.sids(need)
		if err != nil {
			return Policy{}, err
		}
		notes = append(notes, need.Command+" needs "+strings.Join(sids, ", "))
	}
	doc := newDocument(s.rights(needs)...)
	name := strings.Join(slices.DeleteFunc([]string{env.Project, "operator", part, env.Name}, isEmpty), "_")
	steps := []string{"aws iam create-policy --policy-name " + name + " --policy-document file://policy.json"}
	if size := packed(doc); size > maxManaged {
		note := fmt.Sprintf("the policy has %d characters, and IAM accepts %d in one: make one of each of these", size,
			maxManaged)
		for _, commands := range s.split(needs) {
			note += "\n  " + env.Command("policy operator", "--commands", strings.Join(commands, ","))
		}
		notes, steps = append(notes, note), nil
	}
	in := "# In account " + env.AccountID + "."
	return Policy{JSON: text(doc, ""),
		Notes: append([]string{"attach it to the role or the group of those who operate " + env.Name + ", in account " +
			env.AccountID}, notes...),
		Steps: steps,
		Terraform: resource("aws_iam_policy", identifier(name), in, attribute{"name", name},
			attribute{"policy", doc}),
	}, nil
}

// rights returns the statements that commands need, one for each kind of resource.
func (s scope) rights(needs []Need) (rights []statement) {
	for _, candidate := range s.operations() {
		var actions []string
		for _, need := range needs {
			for _, action := range candidate.of(need) {
				if !slices.Contains(actions, action) {
					actions = append(actions, action)
				}
			}
		}
		if len(actions) > 0 && !empty(candidate.Resource) {
			slices.Sort(actions)
			candidate.Action = named(actions)
			rights = append(rights, candidate)
		}
	}
	return rights
}

// split returns the names of commands in groups, as few as their order allows, whose policies IAM accepts. A command
// whose own policy is too large is a group of its own.
func (s scope) split(needs []Need) (groups [][]string) {
	for first := 0; first < len(needs); {
		end := first + 1
		for end < len(needs) && packed(newDocument(s.rights(needs[first:end+1])...)) <= maxManaged {
			end++
		}
		var names []string
		for _, need := range needs[first:end] {
			names = append(names, need.Command)
		}
		groups, first = append(groups, names), end
	}
	return groups
}

// sids returns the statements that a command needs. A new action of a command has to get
// its statement in [scope.operations].
func (s scope) sids(need Need) (sids []string, err error) {
	for _, action := range need.Actions {
		all := s.operations()
		i := slices.IndexFunc(all, func(c statement) bool { return slices.Contains(c.of(need), action) })
		switch {
		case i < 0:
			return nil, fmt.Errorf("%s needs %s, for which there is no statement", need.Command, action)
		case !slices.Contains(sids, all[i].Sid) && !empty(all[i].Resource):
			sids = append(sids, all[i].Sid)
		}
	}
	return sids, nil
}

// of returns the actions of a command that the statement allows. A command that lists rules
// reads all of them and their targets; another one reads the stack's own rules, and the
// targets of the rules that start tasks. A redrive puts outcomes on the bus, and others DEPLOY events.
func (c statement) of(need Need) (actions []string) {
	lists := slices.Contains(need.Actions, "events:ListRules")
	own := c.Sid == "ReadRuleTargets" || c.Sid == "ReadOwnRules"
	puts := slices.Contains(c.Action.([]string), "events:PutEvents")
	publishes, redrives := c.Sid == publishOutcomes, need.Command == "redrive"
	if c.Sid == "ReadRules" && !lists || own && lists || puts && publishes != redrives {
		return nil
	}
	for _, action := range need.Actions {
		if slices.Contains(c.Action.([]string), action) {
			actions = append(actions, action)
		}
	}
	return actions
}

func isEmpty(s string) bool { return s == "" }

func empty(resources any) bool {
	list, ok := resources.([]string)
	return ok && len(list) == 0
}

// operations returns every statement that a person can need. The first one with an action
// is the action's.
func (s scope) operations() []statement {
	rollouts := append(s.services(), s.arn("ecs", "service-deployment/"+s.env.Cluster+"/*"))
	schedules, rules := s.pointers()
	scheduleRoles, ruleRoles := s.env.StartRoles()
	statements := []statement{
		{Sid: "ReadTaskDefinitions", Action: []string{"ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"},
			Resource: "*"}, // they have no resource
		{Sid: "ReadRollouts",
			Action:   []string{"ecs:DescribeServiceDeployments", "ecs:DescribeServices", "ecs:ListServiceDeployments"},
			Resource: rollouts, Condition: s.inCluster()},
		{Sid: "ReadServiceRevisions", Action: []string{"ecs:DescribeServiceRevisions"},
			Resource:  append(s.services(), s.arn("ecs", "service-revision/"+s.env.Cluster+"/*")),
			Condition: s.inCluster()},
		s.readTasks(),
		{Sid: "FindImages", Action: []string{"ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"},
			Resource: s.allRepositories()},
		{Sid: "RegisterTaskDefinitions", Action: []string{"ecs:RegisterTaskDefinition"}, Resource: s.families()},
		{Sid: "TagTaskDefinitions", Action: []string{"ecs:TagResource"}, Resource: s.families()},
		{Sid: "PassTaskRoles", Action: []string{"iam:PassRole"}, Resource: s.roles(),
			Condition: condition{"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
		{Sid: "ReadSchedules", Action: []string{"scheduler:GetSchedule"}, Resource: schedules},
		{Sid: "MoveSchedules", Action: []string{"scheduler:UpdateSchedule"}, Resource: schedules},
		{Sid: "PassScheduleRoles", Action: []string{"iam:PassRole"}, Resource: scheduleRoles,
			Condition: condition{"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}},
		{Sid: "ReadRuleTargets", Action: []string{"events:ListTargetsByRule"}, Resource: rules},
		{Sid: "ReadOwnRules", Action: []string{"events:DescribeRule"},
			Resource: []string{s.arn("events", "rule/"+s.env.RuleName("deploy")),
				s.arn("events", "rule/"+s.env.RuleName("push"))}},
		{Sid: "MoveRuleTargets", Action: []string{"events:PutTargets"}, Resource: rules,
			Condition: condition{"ArnEquals": {"events:TargetArn": s.arn("ecs", "cluster/"+s.env.Cluster)}}},
		{Sid: "PassRuleRoles", Action: []string{"iam:PassRole"}, Resource: ruleRoles,
			Condition: condition{"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}}},
		{Sid: "RunTasks", Action: []string{"ecs:RunTask"}, Resource: s.taskFamilies(), Condition: s.inCluster()},
		{Sid: "TagTasks", Action: []string{"ecs:TagResource"}, Resource: s.runTasks(),
			Condition: condition{"StringEquals": {"ecs:CreateAction": "RunTask"}}},
		{Sid: "UpdateServices", Action: []string{"ecs:UpdateService"}, Resource: s.services(),
			Condition: s.inCluster()},
		{Sid: "EndRollouts", Action: []string{"ecs:ContinueServiceDeployment", "ecs:StopServiceDeployment"},
			Resource: rollouts, Condition: s.inCluster()},
		{Sid: "ReadQueuedEvents", Action: []string{"sqs:ChangeMessageVisibility", "sqs:ReceiveMessage"},
			Resource: s.queues()},
		{Sid: "RemoveQueuedEvents", Action: []string{"sqs:DeleteMessage"}, Resource: s.queues()},
		{Sid: "ReadFunctionRole", Action: []string{"iam:GetRole"},
			Resource: s.arn("iam", "role/"+s.env.FunctionName())},
		{Sid: "ReadFunctionLog", Action: []string{"logs:FilterLogEvents"},
			Resource: s.arn("logs", "log-group:/aws/lambda/"+s.env.FunctionName()+":*")},
		// The environment file does not have the log groups of containers: those with the project's name.
		{Sid: "ReadContainerLogs", Action: []string{"logs:GetLogEvents"},
			Resource: s.arn("logs", "log-group:*"+s.env.Project+"*:log-stream:*")},
	}
	if sending := s.sending(); sending != nil {
		sending[0].Action = []string{"events:PutEvents"}
		statements = append(statements, sending...)
	}
	statements = append(statements, s.publishing())
	return slices.Concat(statements, s.checks(), s.channels())
}

// publishOutcomes is the Sid of [scope.publishing].
const publishOutcomes = "PublishOutcomes"

// publishing returns the statement for a redrive: the end of a task's deployment, and what follows from a rollout
// event, is published as the function does. The source keeps it from DEPLOY events.
func (s scope) publishing() statement {
	return statement{Sid: publishOutcomes, Action: []string{"events:PutEvents"},
		Resource: s.arn("events", "event-bus/default"), Condition: condition{
			"ForAllValues:StringEquals": {"events:source": "deployer"}, "Null": {"events:source": "false"}}}
}

// queues returns the ARNs of the stack's queues.
func (s scope) queues() []string {
	return []string{s.arn("sqs", s.env.QueueName("failed")), s.arn("sqs", s.env.QueueName("undelivered"))}
}

// checks returns the statements of what only doctor reads.
func (s scope) checks() []statement {
	function := s.arn("lambda", "function:"+s.env.FunctionName())
	own, retry := s.arn("iam", "role/"+s.env.FunctionName()), s.arn("iam", "role/"+s.env.RetryName())
	scheduleRoles, ruleRoles := s.env.StartRoles()
	return []statement{
		{Sid: "ReadBus", Action: []string{"events:DescribeEventBus"}, Resource: s.arn("events", "event-bus/default")},
		{Sid: "ReadRules", Action: []string{"events:DescribeRule", "events:ListTargetsByRule"},
			Resource: s.arn("events", "rule/*")},
		// They have no resource.
		{Sid: "FindRules", Action: []string{"events:ListRules", "events:TestEventPattern"}, Resource: "*"},
		{Sid: "ReadRepositories", Action: []string{"ecr:BatchGetRepositoryScanningConfiguration",
			"ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy"}, Resource: s.ownRepositories()},
		{Sid: "SimulateRoles", Action: []string{"iam:SimulatePrincipalPolicy"},
			Resource: slices.Concat(s.roles(), scheduleRoles, ruleRoles, []string{own, retry})},
		{Sid: "ReadFunction", Action: []string{"lambda:GetFunction", "lambda:GetFunctionConfiguration"},
			Resource: function},
		{Sid: "ReadQueues", Action: []string{"sqs:GetQueueAttributes"}, Resource: s.queues()},
		{Sid: "ReadKeys", Action: []string{"kms:DescribeKey"}, Resource: s.arn("kms", "key/*")},
	}
}

// channels returns the statements to look at the channels that the file configures.
func (s scope) channels() []statement {
	secrets, topics, parameters := []string{}, []string{}, []string{}
	if secret, ok := strings.CutPrefix(s.env.Notify.Slack, "/aws/reference/secretsmanager/"); ok {
		secrets = []string{s.arn("secretsmanager", "secret:"+secret+"-??????")}
	} else if s.env.Notify.Slack != "" {
		parameters = []string{"*"} // it has no resource
	}
	if s.env.Notify.Topic != "" {
		topics = []string{s.env.Notify.Topic}
	}
	return []statement{
		{Sid: "ReadParameters", Action: []string{"ssm:DescribeParameters"}, Resource: parameters},
		{Sid: "ReadSecret", Action: []string{"secretsmanager:DescribeSecret"}, Resource: secrets},
		{Sid: "ReadTopic", Action: []string{"sns:GetTopicAttributes"}, Resource: topics},
	}
}
