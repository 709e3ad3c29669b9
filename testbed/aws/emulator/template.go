package emulator

import (
	"fmt"
	"strings"

	policy "deployer/internal/iam"
	"deployer/testbed/aws/api"
	"deployer/testbed/aws/cloudformation"
	"deployer/testbed/aws/ecr"
	"deployer/testbed/aws/lambda"
)

// LoadTemplate creates the resources of a template in the account and region: repositories, functions, rules with their
// targets, bus policies, queues, roles and schedule groups. They replace resources with the same names, except those of
// another stack: these are an error, as in CloudFormation. A repository keeps its images. EventBridge may send to a
// queue of a template only if the queue's policy allows it.
func (e *Emulator) LoadTemplate(account, region string, t *cloudformation.Template) error {
	scope := api.Scope{Account: account, Region: region}
	if err := e.claim(scope, t); err != nil {
		return err
	}
	for _, role := range t.Roles() {
		e.iam.SetRolePolicy(account, role.Name, role.Policies...)
	}
	for _, r := range t.Repositories() {
		err := e.ecr.Load(scope, ecr.Settings{Name: r.Name, Mutability: r.Mutability, Exclusions: r.Exclusions,
			ScanOnPush: r.ScanOnPush, KMSKey: r.KMSKey, Policy: r.Policy, Lifecycle: r.Lifecycle})
		if err != nil {
			return fmt.Errorf("loading the repository %q: %w", r.LogicalID, err)
		}
	}
	policies := map[string]*policy.Document{}
	for _, p := range t.QueuePolicies() {
		policies[p.QueueARN] = p.Document
	}
	for _, q := range t.Queues() {
		e.sqs.CreateWithPolicy(q.ARN, policies[q.ARN])
	}
	for _, group := range t.ScheduleGroups() {
		e.scheduler.CreateGroup(scope, group)
	}
	for _, f := range t.Functions() {
		e.lambda.Create(lambda.Function{ARN: f.ARN, RoleARN: f.RoleARN, Runtime: f.Runtime, Handler: f.Handler,
			Environment: f.Environment})
	}
	for _, r := range t.Rules() {
		if err := e.events.LoadRule(scope, r); err != nil {
			return fmt.Errorf("loading the rule %q: %w", r.LogicalID, err)
		}
	}
	for _, p := range t.BusPolicies() {
		if err := e.events.AddToBusPolicy(scope, p.BusARN, p.Document); err != nil {
			return fmt.Errorf("loading the policy of the bus %q: %w", p.BusARN, err)
		}
	}
	return nil
}

// claim records that a stack has its resources. Names of resources are unique in an account and a region, those of IAM
// in an account (CloudFormation user guide, "Name type"; "Troubleshooting CloudFormation", on resources that exist).
func (e *Emulator) claim(scope api.Scope, t *cloudformation.Template) error {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	key := func(name string) string {
		if strings.HasPrefix(name, "AWS::IAM::") {
			return scope.Account + " " + name
		}
		return scope.Account + " " + scope.Region + " " + name
	}
	stack := scope.ARN("cloudformation", "stack/"+t.Stack())
	for _, name := range t.Names() {
		if owner, ok := e.stacks[key(name)]; ok && owner != stack {
			_, id, _ := strings.Cut(name, " ")
			return fmt.Errorf("%s already exists in stack %s", id, owner)
		}
	}
	for _, name := range t.Names() {
		e.stacks[key(name)] = stack
	}
	return nil
}
