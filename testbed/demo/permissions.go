package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"deployer/internal/iam"
	"deployer/testbed/cloud"

	fakeiam "deployer/testbed/aws/iam"
)

// permissions are the policies of a pattern, with the decisions that were made by them.
type permissions struct {
	statements []*policyStatement

	mu      sync.Mutex
	refuse  bool     // whether a denial is what a step wants
	refused []string // what was denied, and should not have been
}

// A policyStatement is one statement of a role or of a resource.
type policyStatement struct {
	owner    string // the ARN of the role or resource
	trust    bool   // who may assume the role
	identity bool   // the policy of a role, else of a resource
	iam.Statement
	used bool
}

// unused are the statements that a run does not use, with the reason. One that is used is an error. Those of retries
// are used by TestStatementsOfRetries of cmd/deployer, on a clock that need not wait for a minute.
var unused = map[string]string{
	"ScheduleRetries": "only while ECR replicates an image",
	"PassRetryRole":   "only while ECR replicates an image",
	"InvokeFunction":  "only while ECR replicates an image",
}

// newPermissions records the decisions by the policies of a pattern. The repositories of tasks are a part of it if the
// pattern deploys tasks.
func newPermissions(c *cloud.Cloud, tasks bool) *permissions {
	p := &permissions{}
	for _, t := range c.Stacks {
		for _, role := range t.Roles() {
			p.addRole(role.ARN, role.Policies...)
		}
		for _, r := range t.Repositories() {
			if r.Policy != "" && (tasks || !strings.Contains(r.Name, "_task_")) {
				p.addResource(r.ARN, []byte(r.Policy))
			}
		}
		for _, b := range t.BusPolicies() {
			p.addResource(b.BusARN, b.Document)
		}
		for _, q := range t.QueuePolicies() {
			p.add(policyStatement{owner: q.QueueARN}, q.Document)
		}
	}
	c.AWS.Observe(p.note)
	return p
}

func (p *permissions) addRole(arn string, documents ...*iam.Document) {
	for _, d := range documents {
		p.add(policyStatement{owner: arn, identity: true}, d)
	}
}

func (p *permissions) addTrust(arn string, d *iam.Document) {
	p.add(policyStatement{owner: arn, trust: true}, d)
}

func (p *permissions) addResource(arn string, text []byte) {
	if d, err := iam.Parse(text); err == nil { // the emulator has parsed it
		p.add(policyStatement{owner: arn}, d)
	}
}

func (p *permissions) add(owner policyStatement, d *iam.Document) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range d.Statements() {
		statement := owner
		statement.Statement = s
		p.statements = append(p.statements, &statement)
	}
}

// note marks the statements that a decision was made by. A statement that denies is used if it denied.
func (p *permissions) note(c fakeiam.Check) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.Allowed && !p.refuse && !foreignPolicy(c) && !logLines(c) {
		p.refused = append(p.refused, c.Request.Principal+" may not "+c.Request.Action+" on "+c.Request.Resource)
	}
	for _, s := range p.statements {
		applies := s.owner == c.Request.Resource && s.trust == (c.Request.Action == "sts:AssumeRoleWithWebIdentity")
		if s.identity {
			applies = s.owner == c.Request.Principal
		}
		if !applies || s.used {
			continue
		}
		decision := s.Evaluate(c.Request)
		s.used = decision == iam.Allow && c.Allowed || decision == iam.Deny && !c.Allowed
	}
}

// foreignPolicy reports whether the doctor was denied a policy of another account's repository, which it then does not
// check: only the registry's own account may read it.
func foreignPolicy(c fakeiam.Check) bool {
	return slices.Contains([]string{"ecr:GetRepositoryPolicy", "ecr:GetLifecyclePolicy"}, c.Request.Action) &&
		!strings.Contains(c.Request.Resource, ":"+c.Request.Account+":")
}

// logLines reports whether a job was denied the last lines of a container that failed, which it then does not print:
// those of production are not for everyone who sees the job's log.
func logLines(c fakeiam.Check) bool {
	return c.Request.Action == "logs:GetLogEvents" && strings.Contains(c.Request.Principal, "_github_")
}

// refusing runs f, in which calls are denied.
func (p *permissions) refusing(f func() error) error {
	set := func(refuse bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.refuse = refuse
	}
	set(true)
	defer set(false)
	return f()
}

// print prints which statements need not be used. It returns an error if another was not, or if a call was denied.
func (p *permissions) print(out io.Writer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var owners, exceptions, wrong []string
	needless := maps.Clone(unused)
	for _, s := range p.statements {
		if !slices.Contains(owners, s.owner) {
			owners = append(owners, s.owner)
		}
		switch {
		case s.used:
			continue
		case s.Sid == "KeepFailedEvents" && strings.Contains(s.owner, "_retry_"): // as ScheduleRetries
		case unused[s.Sid] == "":
			wrong = append(wrong, s.Sid+" of "+s.owner)
		case !slices.Contains(exceptions, s.Sid):
			exceptions = append(exceptions, s.Sid)
			delete(needless, s.Sid)
		}
	}
	if len(p.refused) > 0 {
		return fmt.Errorf("denied:\n%s", strings.Join(p.refused, "\n"))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("statements that no call used:\n%s", strings.Join(wrong, "\n"))
	}
	if len(needless) > 0 {
		return fmt.Errorf("exceptions for statements that calls used: %q", slices.Sorted(maps.Keys(needless)))
	}
	fmt.Fprintf(out, "Calls used every statement of %d roles, repositories, buses and queues, except:\n", len(owners))
	slices.Sort(exceptions)
	for _, sid := range exceptions {
		fmt.Fprintf(out, "   %-21s  %s\n", sid, unused[sid])
	}
	return nil
}
