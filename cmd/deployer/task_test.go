package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// schedule returns the schedule of the project's task, and the definition that it holds.
func (f *testFunction) schedule(t *testing.T) (raw, definition string) {
	t.Helper()
	text, err := f.accounts[f.env].ReadSchedule(t.Context(), cloud.ScheduleGroup(f.env), cloud.Schedule(f.env))
	must(t, err)
	var s struct {
		Target struct {
			EcsParameters struct{ TaskDefinitionArn string }
		}
	}
	must(t, json.Unmarshal(text, &s))
	definition = s.Target.EcsParameters.TaskDefinitionArn
	return string(text), definition[strings.LastIndexByte(definition, '/')+1:]
}

// TestTask pushes an image of a task: its schedule holds the new revision, and nothing else
// of it is changed. Then it rolls back, and redeploys by DEPLOY events.
func TestTask(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "dev", nil)
	before, runs := f.schedule(t)
	if runs != "nightly-report:1" {
		t.Fatalf("the schedule holds %s", runs)
	}
	digest, err := f.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", "v2", "latest")
	must(t, err)
	f.aws.ResetCalls()
	got := f.invoke(t, pushEvent("myproject_task_nightly-report", "latest", digest))
	if len(got.Deployments) != 1 || got.Status != "deployed" ||
		!strings.HasPrefix(got.Deployments[0].Reason, "the next run uses revision 2, due at ") {
		t.Fatalf("%+v", got)
	}
	// Seven calls deploy, besides the download of the image's configuration; two report. Before the first move of the
	// schedule, two ask what its role may.
	calls := slices.DeleteFunc(f.operations(), func(c string) bool {
		return c == "GetDownloadUrlForLayer" || c == "GetObject"
	})
	slices.Sort(calls[:3]) // they are sent together
	want := []string{"BatchGetImage", "DescribeTaskDefinition", "GetSchedule", "SimulatePrincipalPolicy",
		"SimulatePrincipalPolicy", "RegisterTaskDefinition", "GetSchedule", "UpdateSchedule", "DescribeTaskDefinition",
		"PutEvents", "TagResource"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
	after, runs := f.schedule(t)
	changed := strings.NewReplacer("nightly-report:1", "nightly-report:2").Replace(before)
	const modified = `"LastModificationDate":`
	cut := func(s string) string { // that date changes
		i := strings.Index(s, modified)
		return s[:i] + s[i+strings.IndexByte(s[i:], ','):]
	}
	if diff := cmp.Diff(cut(changed), cut(after)); diff != "" || runs != "nightly-report:2" {
		t.Errorf("%s: %s", runs, diff)
	}
	again := f.invoke(t, pushEvent("myproject_task_nightly-report", "latest", digest))
	if again.Status != "unchanged" {
		t.Errorf("again: %+v", again)
	}
	_, err = f.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", "v3", "v3")
	must(t, err)
	for i, step := range []struct{ event, status, runs string }{
		{`{"task":"nightly-report","tag":"v3"}`, "deployed", "nightly-report:3"},
		{`{"task":"nightly-report","action":"rollback"}`, "deployed", "nightly-report:4"},
		{`{"service":"task:nightly-report","tag":"v3"}`, "deployed", "nightly-report:5"},
		{`{"task":"nightly-report","action":"redeploy","dry_run":true}`, "unchanged", "nightly-report:5"},
		{`{"task":"nightly-report","tag":"v9"}`, "rejected", "nightly-report:5"},
	} {
		at := time.Now().Add(time.Duration(i+1) * time.Second).UTC().Format(time.RFC3339)
		const form = `{"id":"e%d","detail-type":"DEPLOY","source":"action.dev","time":%q,"detail":%s}`
		got := f.invoke(t, fmt.Sprintf(form,
			i, at, step.event))
		if _, runs := f.schedule(t); string(got.Status) != step.status || runs != step.runs {
			t.Errorf("%s: %+v, and the schedule holds %s", step.event, got, runs)
		}
	}
}

// TestFirstRun runs the task by its schedule after a deployment: the end of its first run is reported once and noted.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		content, kind string
		code          int
	}{
		{"v2", "First Run Succeeded", 0},
		{"broken", "First Run Failed", 1},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			f := newFunction(t, "dev", nil)
			digest, err := f.accounts["dev"].Push(t.Context(), "myproject_task_nightly-report", tt.content, "latest")
			must(t, err)
			if tt.code != 0 {
				f.aws.FailImage(digest)
			}
			const outcomes = "arn:aws:sqs:us-east-1:111111111111:outcomes"
			const runs = "arn:aws:sqs:us-east-1:111111111111:runs"
			f.keepEvents(t, outcomes, `{"source":["deployer"],"detail-type":[{"prefix":"First Run"}]}`)
			f.keepEvents(t, runs, `{"source":["aws.ecs"],"detail":{"lastStatus":["STOPPED"]}}`)
			got := f.invoke(t, pushEvent("myproject_task_nightly-report", "latest", digest))
			if got.Status != "deployed" {
				t.Fatalf("%+v", got)
			}
			for i := range 2 {
				must(t, f.aws.RunSchedule(accounts.Dev, "us-east-1", cloud.ScheduleGroup("dev"), cloud.Schedule("dev")))
				f.ahead.Add(int64(time.Hour))
				f.aws.Tick()
				stopped := f.aws.Queue(runs)
				if len(stopped) != i+1 {
					t.Fatalf("%d runs ended, want %d", len(stopped), i+1)
				}
				got := f.invoke(t, string(stopped[i].Body))
				if want := []string{"unchanged", "ignored"}[i]; string(got.Status) != want {
					t.Errorf("run %d: %+v, want %s", i+1, got, want)
				}
			}
			var reported []string
			for _, m := range f.aws.Queue(outcomes) {
				var event struct {
					DetailType string `json:"detail-type"`
					Detail     struct{ Message string }
				}
				must(t, json.Unmarshal(m.Body, &event))
				reported = append(reported, event.DetailType+": "+event.Detail.Message)
			}
			ended := map[int]string{0: "succeeded", 1: "failed"}[tt.code]
			end := fmt.Sprintf("EssentialContainerExited; Essential container in task exited; container "+
				"myproject_container_nightly-report_dev exited with code %d", tt.code)
			want := []string{tt.kind + ": the first run of task:nightly-report of myproject in dev with latest " +
				"(revision 2) " + ended + ": " + end}
			if diff := cmp.Diff(want, reported); diff != "" {
				t.Error(diff)
			}
			noted, err := f.accounts["dev"].ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
				TaskDefinition: aws.String("nightly-report"), Include: []types.TaskDefinitionField{"TAGS"}})
			must(t, err)
			if !slices.ContainsFunc(noted.Tags, func(tag types.Tag) bool {
				return *tag.Key == "deployer:stopped" &&
					strings.HasPrefix(*tag.Value, "first run: EssentialContainerExited")
			}) {
				t.Errorf("the journal lacks it: %+v", noted.Tags)
			}
		})
	}
}

// keepEvents makes dev's bus send events that match a pattern to a queue.
func (f *testFunction) keepEvents(t *testing.T, queue, pattern string) {
	t.Helper()
	name := queue[strings.LastIndexByte(queue, ':')+1:]
	_, err := f.accounts["dev"].Send(t.Context(), "POST", "events", "", "AWSEvents.PutRule",
		fmt.Sprintf(`{"Name":%q,"EventPattern":%q}`, name, pattern))
	must(t, err)
	_, err = f.accounts["dev"].Send(t.Context(), "POST", "events", "", "AWSEvents.PutTargets",
		fmt.Sprintf(`{"Rule":%q,"Targets":[{"Id":"q","Arn":%q}]}`, name, queue))
	must(t, err)
}
