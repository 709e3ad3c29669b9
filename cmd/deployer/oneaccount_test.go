package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/doctor"
	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
)

// oneAccount is a project whose environments dev and staging share an account, a registry and a bus. Production has an
// account of its own, and runs the images of that registry.
type oneAccount struct {
	cloud *cloud.Cloud
	clock *emulator.Clock
	files string
	logs  map[string]*logBuffer // by environment
}

func newOneAccount(t *testing.T) *oneAccount {
	t.Helper()
	o := &oneAccount{clock: emulator.NewClock(time.Now().Truncate(time.Second).Add(-time.Hour)), files: t.TempDir(),
		logs: map[string]*logBuffer{"dev": {}, "staging": {}, "prod": {}}}
	for name := range o.logs {
		text, err := os.ReadFile("../../examples/centralized-dev-ecr/" + name + ".yaml")
		must(t, err)
		changed := string(text)
		if name == "staging" { // docs/how-to/install.md, "Several environments in one account"
			head, _, _ := strings.Cut(changed, "account_id:")
			_, tail, _ := strings.Cut(changed, "services:")
			changed = head + "account_id: \"" + accounts.Dev + "\"\necr_strategy: local\nservices:" + tail
		}
		if name != "prod" {
			changed += "deployer:\n  workloads:\n    nightly-report: {family: nightly-report-" + name + "}\n"
		}
		must(t, os.WriteFile(filepath.Join(o.files, name+".yaml"), []byte(changed), 0o644))
	}
	o.cloud = newCloud(t, cloud.Options{Clock: o.clock.Now, RolloutStep: rolloutStep, Files: o.files, OwnFiles: true,
		Tasks: true, Logs: func(env string) io.Writer { return o.logs[env] }})
	o.reset(t)
	return o
}

// reset forgets what was called and logged.
func (o *oneAccount) reset(t *testing.T) {
	t.Helper()
	o.advance(t, 6*rolloutStep)
	o.cloud.AWS.ResetCalls()
	for _, l := range o.logs {
		l.reset()
	}
}

func (o *oneAccount) advance(t *testing.T, by time.Duration) {
	t.Helper()
	must(t, o.cloud.Settle(t.Context()))
	for ; by > 0; by -= rolloutStep / 2 {
		o.clock.Advance(rolloutStep / 2)
		o.cloud.AWS.Tick()
		must(t, o.cloud.Settle(t.Context()))
	}
}

// put puts a DEPLOY event onto the bus that dev and staging share.
func (o *oneAccount) put(t *testing.T, source, detail string) {
	t.Helper()
	out, err := eventbridge.NewFromConfig(o.cloud.Accounts["dev"].Config).PutEvents(t.Context(),
		&eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{Source: aws.String(source),
			DetailType: aws.String("DEPLOY"), Detail: aws.String(detail), Time: aws.Time(o.clock.Now())}}})
	must(t, err)
	if out.FailedEntryCount != 0 {
		t.Fatalf("put-events: %+v", out.Entries)
	}
}

// push pushes an image of the backend to the registry that all environments run.
func (o *oneAccount) push(t *testing.T, tags ...string) {
	t.Helper()
	_, err := o.cloud.Accounts["dev"].Push(t.Context(), "myproject_backend", strings.Join(tags, ","), tags...)
	must(t, err)
}

// pushTask pushes an image of the task.
func (o *oneAccount) pushTask(t *testing.T, tags ...string) {
	t.Helper()
	_, err := o.cloud.Accounts["dev"].Push(t.Context(), "myproject_task_"+cloud.Task, strings.Join(tags, ","), tags...)
	must(t, err)
}

// runs returns the revisions of the backend and of the task in each environment.
func (o *oneAccount) runs(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, e := range cloud.Environments {
		account := o.cloud.Accounts[e.Name]
		got, err := account.Runs(t.Context(), cloud.ClusterName(e.Name), cloud.ServiceName("backend", e.Name))
		must(t, err)
		raw, err := account.ReadSchedule(t.Context(), cloud.ScheduleGroup(e.Name), cloud.Schedule(e.Name))
		must(t, err)
		_, task, _ := strings.Cut(string(raw), ":task-definition/")
		task, _, _ = strings.Cut(task, `"`)
		all[e.Name] = fmt.Sprintf("backend:%d %s", got.TaskDefinition.Revision, task)
	}
	return all
}

// invoked returns the environments whose functions ran.
func (o *oneAccount) invoked() (all []string) {
	for _, name := range slices.Sorted(maps.Keys(o.logs)) {
		if strings.Contains(o.logs[name].String(), `"requestId"`) {
			all = append(all, name)
		}
	}
	return all
}

// checkRoles checks that each function used its own cluster, families and queues, and that nothing was denied.
func (o *oneAccount) checkRoles(t *testing.T) {
	t.Helper()
	for _, c := range o.cloud.AWS.Calls() {
		own, isFunction := strings.CutPrefix(c.Role, "myproject_deployer_")
		if !isFunction {
			continue
		}
		if strings.Contains(c.Error, "AccessDenied") {
			t.Errorf("%s: %s was denied on %v", c.Role, c.Operation, c.Resources)
		}
		for _, resource := range c.Resources {
			for name := range o.logs {
				if name != own && strings.Contains(resource, "_"+name) {
					t.Errorf("%s: %s used %s", c.Role, c.Operation, resource)
				}
			}
		}
	}
}

// TestOneAccount deploys to two environments of one project in one account, through their stacks and the bus that they
// share: an event changes the environment that it is for.
func TestOneAccount(t *testing.T) {
	t.Parallel()
	o := newOneAccount(t)
	for _, tt := range []struct {
		name    string
		act     func()
		moved   []string // environments
		invoked []string
	}{
		{"a push that both deploy", func() { o.push(t, "git-1", "latest") }, []string{"dev", "staging"},
			[]string{"dev", "staging"}},
		{"a push that staging deploys", func() { o.push(t, "env-staging-20260122") }, []string{"staging"},
			[]string{"dev", "staging"}},
		{"a push that none deploys", func() { o.push(t, "git-2", "env-prod-20260122") }, nil,
			[]string{"dev", "staging"}},
		{"a DEPLOY of staging", func() { o.put(t, "action.staging", `{"service":"backend","tag":"git-1"}`) },
			[]string{"staging"}, []string{"staging"}},
		{"a DEPLOY of dev", func() { o.put(t, "action.dev", `{"service":"backend","tag":"git-2"}`) },
			[]string{"dev"}, []string{"dev"}},
		{"a DEPLOY of dev that names staging", func() {
			o.put(t, "action.dev", `{"service":"backend","tag":"git-1","env":"staging"}`)
		}, nil, []string{"dev"}},
		{"a push of the task's image", func() { o.pushTask(t, "git-1", "latest") }, []string{"dev", "staging"},
			[]string{"dev", "staging"}},
		{"a DEPLOY of staging's task", func() {
			o.put(t, "action.staging", `{"task":"nightly-report","tag":"v1"}`)
		}, []string{"staging"}, []string{"staging"}},
		{"a DEPLOY of production, on the wrong bus", func() {
			o.put(t, "action.production", `{"service":"backend","tag":"git-1"}`)
		}, nil, nil},
		{"staging's service is moved by a person", func() {
			_, err := o.cloud.Accounts["staging"].ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{
				Cluster: aws.String(cloud.ClusterName("staging")), ForceNewDeployment: true,
				Service: aws.String(cloud.ServiceName("backend", "staging"))})
			must(t, err)
		}, nil, []string{"staging"}},
	} {
		before := o.runs(t)
		o.reset(t)
		tt.act()
		o.advance(t, 6*rolloutStep)
		var moved []string
		for name, revision := range o.runs(t) {
			if revision != before[name] {
				moved = append(moved, name)
			}
		}
		slices.Sort(moved)
		if diff := cmp.Diff(tt.moved, moved); diff != "" {
			t.Errorf("%s: moved (-want +got):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(tt.invoked, o.invoked()); diff != "" {
			t.Errorf("%s: invoked (-want +got):\n%s", tt.name, diff)
		}
		o.checkRoles(t)
	}
	want := map[string]string{"dev": "backend:3 nightly-report-dev:2", "staging": "backend:4 nightly-report-staging:3",
		"prod": "backend:1 nightly-report:1"}
	if diff := cmp.Diff(want, o.runs(t)); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// TestOneAccountIsApart checks that the function of one environment may not do what that of the other does, and that
// the doctor finds no fault in either. A name that both stacks have is an error when the second is created, as in AWS.
func TestOneAccountIsApart(t *testing.T) {
	t.Parallel()
	o := newOneAccount(t)
	ctx := t.Context()
	for own, other := range map[string]string{"dev": "staging", "staging": "dev"} {
		role := o.cloud.Accounts["dev"].As("myproject_deployer_" + own)
		cluster, service := aws.String(cloud.ClusterName(other)), aws.String(cloud.ServiceName("backend", other))
		queue := aws.String("https://sqs.us-east-1.amazonaws.com/" + accounts.Dev + "/myproject_deployer_failed_" +
			other)
		_, update := role.ECS.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: cluster, Service: service})
		_, describe := role.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: cluster,
			Services: []string{*service}})
		_, keep := sqs.NewFromConfig(role.Config).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue,
			MessageBody: aws.String("{}")})
		for call, err := range map[string]error{"UpdateService": update, "DescribeServices": describe,
			"SendMessage": keep} {
			if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
				t.Errorf("%s's function: %s of %s: %v", own, call, other, err)
			}
		}
		env, err := environment.Load(filepath.Join(o.files, own+".yaml"))
		must(t, err)
		report, err := doctor.Examine(ctx, env, o.cloud.Accounts[own].Config, nil)
		must(t, err)
		for _, f := range report.Findings {
			if f.Level != doctor.OK {
				t.Errorf("%s: %+v", own, f)
			}
		}
	}
}
