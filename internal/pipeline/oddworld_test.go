package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// oddParameter is the SSM parameter to which services may refer.
const oddParameter = "/p/dev/database-url"

// oddOptions are what is in an [oddWorld].
type oddOptions struct {
	services  int    // 0 for one, if there is no task
	task      string // "pinned", "floating" or "event": a task that is started so
	refers    bool   // the services refer to a parameter, whose changes redeploy them
	noAccount bool   // the file does not have the account
	notifies  bool   // on Slack and SNS
	keeps     bool   // in the failure queue
	waits     bool   // by schedules
}

// oddWorld is emulated AWS with services or a task, which is reached through a client that
// replaces answers.
type oddWorld struct {
	aws      *emulator.Emulator
	odd      *emulatortest.Odd
	dev      *accounts.Account
	env      *environment.Environment
	options  oddOptions
	pipeline *Pipeline
	events   int
}

func newOddWorld(t *testing.T, o oddOptions) *oddWorld {
	t.Helper()
	time.Sleep(time.Until(start)) // fake time begins in 2000
	w := &oddWorld{aws: emulator.New(emulator.Options{}), options: o}
	w.odd = &emulatortest.Odd{AWS: w.aws}
	plain := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region)
	w.dev = plain.With(func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: w.aws} })
	odd := plain.With(func(c *aws.Config) { c.HTTPClient = w.odd })
	file := w.create(t)
	if o.noAccount {
		file = strings.Replace(file, "account_id:", "other:", 1)
	}
	file += "deployer:\n  redeploy_on: [parameters]\n"
	if o.notifies {
		w.aws.PutParameter(accounts.Dev, accounts.Region, "/p/slack", "no address")
		file += "  notify:\n    slack: /p/slack\n    topic: " +
			w.aws.CreateTopic(accounts.Dev, accounts.Region, "deployments") + "\n"
	}
	env, err := environment.Parse("dev.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	w.env, w.pipeline = env, NewFunction(env, odd.Config, io.Discard)
	if o.keeps {
		arn := env.FailedQueueARN()
		w.aws.CreateQueue(accounts.Dev, accounts.Region, arn[strings.LastIndex(arn, ":")+1:])
		w.pipeline.KeepIn(env.FailedQueueURL())
	}
	if o.waits {
		w.aws.CreateScheduleGroup(accounts.Dev, accounts.Region, "retries")
		w.pipeline.RetryIn("retries", "arn:aws:iam::"+accounts.Dev+":role/retry")
	}
	return w
}

// create creates the services or the task, and returns the environment file.
func (w *oddWorld) create(t *testing.T) (file string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if w.options.task == "" {
		file, err := cloud.ManyServices(t.Context(), w.dev, max(1, w.options.services), false)
		must(err)
		for i := range max(1, w.options.services) {
			if w.options.refers {
				must(w.refer(t, fmt.Sprintf("p_service_s%d_dev", i)))
			}
		}
		return file
	}
	must(w.dev.Cluster(t.Context(), cloud.ClusterName("dev")))
	must(cloud.PushTask(t.Context(), w.dev))
	file = fmt.Sprintf("project: %s\nenv: dev\nregion: %s\naccount_id: %q\n", cloud.Project, accounts.Region, w.dev.ID)
	if w.options.task == "event" {
		must(cloud.CreateEventTask(t.Context(), w.dev, cloud.Task, "dev"))
		return file + "event_processor_tasks:\n  - name: " + cloud.Task + "\n"
	}
	must(cloud.CreateTask(t.Context(), w.dev, cloud.Task, "dev"))
	if w.options.task == "floating" {
		group, name := cloud.ScheduleGroup("dev"), cloud.Schedule("dev")
		raw, err := w.dev.ReadSchedule(t.Context(), group, name)
		must(err)
		must(w.dev.DeleteSchedule(t.Context(), group, name))
		must(w.dev.Schedule(t.Context(), name, strings.Replace(string(raw), "/"+cloud.Task+":1", "/"+cloud.Task, 1)))
	}
	return file + "scheduled_tasks:\n  - name: " + cloud.Task + "\n"
}

// refer makes a service run a revision that refers to the parameter.
func (w *oddWorld) refer(t *testing.T, service string) error {
	t.Helper()
	out, err := w.dev.Runs(t.Context(), "p_cluster_dev", service)
	if err != nil {
		return err
	}
	old := out.TaskDefinition
	old.ContainerDefinitions[0].Secrets = []types.Secret{{Name: aws.String("URL"), ValueFrom: aws.String(
		"arn:aws:ssm:" + accounts.Region + ":" + accounts.Dev + ":parameter" + oddParameter)}}
	revision, err := w.dev.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{Family: old.Family,
		NetworkMode: old.NetworkMode, Cpu: old.Cpu, Memory: old.Memory, ExecutionRoleArn: old.ExecutionRoleArn,
		RequiresCompatibilities: old.RequiresCompatibilities, ContainerDefinitions: old.ContainerDefinitions})
	if err != nil {
		return err
	}
	_, err = w.dev.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("p_cluster_dev"),
		Service: &service, TaskDefinition: revision.TaskDefinition.TaskDefinitionArn})
	return err
}

// handle handles an event within 20 seconds.
func (w *oddWorld) handle(t *testing.T, raw string) (Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return w.pipeline.Handle(ctx, json.RawMessage(raw))
}

func (w *oddWorld) mustHandle(t *testing.T, raw string) {
	t.Helper()
	if got, err := w.handle(t, raw); err != nil || got.Status == ecsdeploy.Rejected || got.Status == ecsdeploy.Ignored {
		t.Fatalf("%+v, %v", got, err)
	}
}

func (w *oddWorld) event(detailType, source, detail string) string {
	w.events++
	return fmt.Sprintf(`{"version":"0","id":"e%d","detail-type":%q,"source":%q,"account":%q,"time":%q,
		"region":%q,"resources":["arn:aws:ecs:us-east-1:111111111111:service/p_cluster_dev/p_service_s0_dev"],
		"detail":%s}`, w.events, detailType, source, accounts.Dev, time.Now().UTC().Format(time.RFC3339), accounts.Region,
		detail)
}

// push pushes images of which the services run none yet.
func (w *oddWorld) push(t *testing.T, tag string) {
	t.Helper()
	for i := range max(1, w.options.services) {
		if _, err := w.dev.Push(t.Context(), fmt.Sprintf("p_service_s%d", i), "v2", tag); err != nil {
			t.Fatal(err)
		}
	}
}

// deploy deploys tag v2.
func (w *oddWorld) deploy(t *testing.T) {
	t.Helper()
	w.push(t, "v2")
	w.mustHandle(t, w.event("DEPLOY", "action.dev", `{"service":"s0","tag":"v2"}`))
}

// rollout returns ECS's event about the service's newest rollout.
func (w *oddWorld) rollout(t *testing.T, name string) string {
	t.Helper()
	out, err := w.dev.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String("p_cluster_dev"), Services: []string{"p_service_s0_dev"}})
	if err != nil {
		t.Fatal(err)
	}
	return w.event("ECS Deployment State Change", "aws.ecs", fmt.Sprintf(
		`{"eventType":"INFO","eventName":%q,"deploymentId":%q,"updatedAt":%q,"reason":""}`, name,
		aws.ToString(out.Services[0].Deployments[0].Id), time.Now().UTC().Format(time.RFC3339)))
}

// result returns what the services or the task's pointer run, the types of the outcomes that
// are on the bus, and whether messages are kept and schedules wait.
func (w *oddWorld) result(t *testing.T) string {
	t.Helper()
	var all []string
	if w.options.task == "" {
		for i := range max(1, w.options.services) {
			out, err := w.dev.Runs(t.Context(), "p_cluster_dev", fmt.Sprintf("p_service_s%d_dev", i))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image))
			if w.options.refers {
				all = append(all, fmt.Sprint("redeployed: ", out.TaskDefinition.Revision > 2))
			}
		}
	} else {
		all = append(all, w.held(t))
	}
	f := fixture{aws: w.aws}
	var kinds []string
	for _, o := range f.published(t) {
		kinds = append(kinds, o.Kind)
	}
	slices.Sort(kinds)
	all = append(all, slices.Compact(kinds)...)
	if w.options.keeps {
		all = append(all, fmt.Sprint("kept: ", len(w.aws.Queue(w.env.FailedQueueARN())) > 0))
	}
	if w.options.waits {
		all = append(all, fmt.Sprint("waiting: ", len(w.aws.Scheduled())))
	}
	return strings.Join(all, ", ")
}

// held returns the image of the revision that the task's pointer starts.
func (w *oddWorld) held(t *testing.T) string {
	t.Helper()
	raw, err := w.dev.ReadSchedule(t.Context(), cloud.ScheduleGroup("dev"), cloud.Schedule("dev"))
	if w.options.task == "event" {
		var targets []json.RawMessage
		if targets, err = w.dev.ReadTargets(t.Context(), cloud.RuleOf(cloud.Task, "dev")); err == nil {
			raw = targets[0]
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), `"TaskDefinitionArn":"`)
	arn, _, _ := strings.Cut(rest, `"`)
	out, err := w.dev.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &arn})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image)
}
