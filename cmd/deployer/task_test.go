package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
