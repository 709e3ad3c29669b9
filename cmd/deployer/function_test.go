package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	registry     = "111111111111.dkr.ecr.us-east-1.amazonaws.com/"
	backendImage = registry + "myproject_backend"
)

// TestDeployEvent deploys to prod from dev's registry and checks every field of the
// result, the calls to AWS, and that the same event again changes nothing.
func TestDeployEvent(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "prod", nil)
	digest, err := f.accounts["dev"].PushIndex(t.Context(), "myproject_backend", "v2", []string{"linux/amd64"},
		"git-abc123f")
	must(t, err)
	f.aws.ResetCalls()

	event := deployEvent("action.production", `{"service":"backend","tag":"git-abc123f"}`)
	response, err := f.host.Invoke(t.Context(), []byte(event))
	must(t, err)
	var got map[string]any
	must(t, json.Unmarshal(response.Payload, &got))
	const arn = "arn:aws:ecs:us-east-1:333333333333:task-definition/myproject_service_prod:"
	want := map[string]any{
		"event_id": "6f1d", "status": "deployed", "reason": "the service is being moved to the new revision",
		"deployments": []any{map[string]any{
			"service": "backend", "status": "deployed", "cluster": prodCluster, "ecs_service": prodBackend,
			"image": backendImage + "@" + digest, "tag": "git-abc123f", "digest": digest,
			"task_definition": arn + "2", "previous_task_definition": arn + "1",
			"reason": "the service is being moved to the new revision",
		}},
	}
	deployment := got["deployments"].([]any)[0].(map[string]any)
	if id, _ := deployment["deployment_id"].(string); !strings.HasPrefix(id, "ecs-svc/") {
		t.Errorf("deployment_id %q", id)
	}
	delete(deployment, "deployment_id")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	// The update is sent after two sequential round trips: the three reads, then the
	// registration. One read follows, which checks that no newer revision appeared.
	calls := f.aws.Calls()
	names := f.operations()
	slices.Sort(names[:3])
	operations := []string{
		"BatchGetImage", "DescribeServices", "DescribeTaskDefinition",
		"RegisterTaskDefinition", "UpdateService", "DescribeTaskDefinition",
	}
	if diff := cmp.Diff(operations, names); diff != "" {
		t.Error(diff)
	}
	for _, read := range calls[:3] {
		if calls[3].Start.Before(read.End) {
			t.Errorf("RegisterTaskDefinition was sent before %s was answered", read.Operation)
		}
	}
	if revision, image := f.runs(t, "backend"); revision != 2 || image != backendImage+"@"+digest {
		t.Errorf("the service runs revision %d with %s", revision, image)
	}
	lines := f.logs.lines(t, "deployment deployed")
	if len(lines) != 1 || lines[0]["requestId"] != response.RequestID ||
		lines[0]["event_id"] != "6f1d" || lines[0]["task_definition"] != arn+"2" {
		t.Errorf("log: %v", lines)
	}

	// The same event again changes nothing.
	f.aws.ResetCalls()
	if again := f.invoke(t, event); again.Status != "unchanged" {
		t.Errorf("again: %+v", again)
	}
	names = f.operations()
	slices.Sort(names)
	if diff := cmp.Diff([]string{"BatchGetImage", "DescribeServices", "DescribeTaskDefinition"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestPushEvent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env  string
		want string
	}{
		{"dev", "deployed"}, {"staging", "deployed"}, {"prod", "ignored"},
	}
	for _, tt := range tests {
		t.Run(tt.env, func(t *testing.T) {
			t.Parallel()
			f := newFunction(t, tt.env, nil)
			digest, err := f.accounts["dev"].Push(t.Context(), "myproject_service_web-api", "v2", "latest")
			must(t, err)
			f.aws.ResetCalls()
			got := f.invoke(t, pushEvent("myproject_service_web-api", "latest", digest))
			if string(got.Status) != tt.want {
				t.Fatalf("got %+v, want %s", got, tt.want)
			}
			if tt.want == "ignored" {
				if len(f.aws.Calls()) != 0 || len(got.Deployments) != 0 || len(f.logs.lines(t, "event ignored")) != 1 {
					t.Errorf("%+v after %v\n%s", got, f.operations(), f.logs)
				}
				return
			}
			revision, image := f.runs(t, "web-api")
			if revision != 2 || image != registry+"myproject_service_web-api@"+digest {
				t.Errorf("the service runs revision %d with %s", revision, image)
			}
			if revision, _ := f.runs(t, "backend"); revision != 1 {
				t.Errorf("the backend was deployed too: revision %d", revision)
			}
		})
	}
}

// TestBadEvents sends events that must not deploy. Each has a result, none calls ECR
// or ECS, and each rejection is published.
func TestBadEvents(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "prod", nil)
	deploy := func(detail string) string { return deployEvent("action.production", detail) }
	future := deployEventAt(time.Now().Add(time.Hour), "6f1d", "action.production", `{"service":"backend","tag":"v1"}`)
	const malformed = `the DEPLOY is malformed: `
	tests := []struct{ name, event, status, reason string }{
		{"empty", `{}`, "rejected", `the event is empty`},
		{"detail a string", deploy(`"backend"`), "rejected", malformed + `"detail" is a string, not a JSON object`},
		{"detail null", deploy(`null`), "rejected", malformed + `"detail" is null, not a JSON object`},
		{"detail an array", deploy(`[]`), "rejected", malformed + `"detail" is an array, not a JSON object: ` +
			`send an event for each, or one event with "services": ["NAME", …] for one tag`},
		{"unknown service", deploy(`{"service":"web","tag":"v1"}`),
			"rejected", malformed + `service "web" is not in the prod environment, which has backend, web-api, worker`},
		{"tag empty", deploy(`{"service":"backend","tag":""}`),
			"rejected", malformed + `the tag is empty; did a variable expand to nothing?`},
		{"tag cut off", deploy(`{"service":"backend","tag":"git-"}`),
			"rejected", malformed + `tag "git-" ends in "-"; did the commit variable expand?`},
		{"tag with a slash", deploy(`{"service":"backend","tag":"a/b"}`),
			"rejected", malformed + `tag "a/b" has a "/" or ":"; name the tag alone, without repository`},
		{"service and task", deploy(`{"service":"backend","task":"nightly-report","tag":"v1"}`),
			"rejected", malformed + `both "service" ("backend") and "task" ("nightly-report") are set: one event ` +
				`deploys one of them`},
		{"1 MB of detail", deploy(`{"service":"backend","tag":"v1","reason":"` + strings.Repeat("x", 1000000) + `"}`),
			"rejected", malformed + `"detail" has 1000044 bytes; that of a DEPLOY may have at most 65536`},
		{"from the future", future, "rejected", ""},
		{"push without a tag", strings.Replace(pushEvent("myproject_backend", "latest", "sha256:x"),
			`"image-tag":"latest",`, "", 1),
			"ignored", `the push to "myproject_backend" has no tag: it is part of an image, ` +
				`or its tag was replaced at once`},
		{"push", pushEvent("myproject_backend", "latest", "sha256:x"),
			"ignored", `tag "latest" does not deploy prod: auto_deploy is empty, so no push does; send a DEPLOY event`},
		{"staging's DEPLOY", deployEvent("action.staging", `{"service":"backend","tag":"v1"}`),
			"ignored", `DEPLOY from "action.staging" is not for prod, which accepts DEPLOY events from action.prod, ` +
				`action.production; to deploy prod, send detail-type "DEPLOY", source "action.prod" and ` +
				`a detail like {"project":"myproject","service":"backend","tag":"git-abc123f"}`},
		{"another project's DEPLOY", deployEvent("action.production", `{"project":"vineyard","service":"backend"}`),
			"ignored", `the DEPLOY is for project "vineyard", not for myproject`},
	}
	for _, tt := range tests { // not in parallel, because they share a function
		got := f.invoke(t, tt.event)
		if string(got.Status) != tt.status || tt.reason != "" && got.Reason != tt.reason {
			t.Errorf("%s: %s: %s\nwant %s: %s", tt.name, got.Status, got.Reason, tt.status, tt.reason)
		}
	}
	const rejections = 11
	if calls := f.operations(); len(calls) != rejections || len(slices.Compact(calls)) != 1 || calls[0] != "PutEvents" {
		t.Errorf("calls %v, want %d PutEvents", calls, rejections)
	}
	lines := f.logs.lines(t, "event rejected")
	if len(lines) != 11 || lines[0]["level"] != "ERROR" || lines[0]["event"] != "{}" {
		t.Errorf("%d rejections in the log: %v", len(lines), lines)
	}
}

func TestImageNotFoundIsRejected(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "prod", nil)
	got := f.invoke(t, deployEvent("action.production", `{"service":"backend","tag":"git-0000000"}`))
	const want = `looking for tag "git-0000000" in ECR repository "myproject_backend" ` +
		`of account 111111111111 in us-east-1: image not found`
	if got.Status != "rejected" || !strings.HasPrefix(got.Reason, want) {
		t.Errorf("got %+v", got)
	}
	if revision, _ := f.runs(t, "backend"); revision != 1 || slices.Contains(f.operations(), "RegisterTaskDefinition") {
		t.Errorf("revision %d after %v", revision, f.operations())
	}
	if lines := f.logs.lines(t, "deployment rejected"); len(lines) != 1 || lines[0]["level"] != "ERROR" {
		t.Errorf("log: %v", lines)
	}
}

// TestFailuresAreKept checks that Lambda retries an event that AWS denies, and then
// sends it to the failure destination with a named error.
func TestFailuresAreKept(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "prod", nil)
	f.aws.Inject(denied("ecs:DescribeServices"))
	event := deployEvent("action.production", `{"service":"backend","tag":"v1"}`)
	_, err := f.host.InvokeAsync([]byte(event))
	must(t, err)
	must(t, f.host.Wait(t.Context()))
	if len(f.failed) != 1 {
		t.Fatalf("%d records", len(f.failed))
	}
	record := f.failed[0]
	var payload struct{ ErrorType, ErrorMessage string }
	must(t, json.Unmarshal(record.ResponsePayload, &payload))
	const want = `describing service "myproject_service_prod" in cluster "myproject_cluster_prod": ` +
		`AccessDeniedException: User: `
	if record.RequestContext.ApproximateInvokeCount != 3 || string(record.RequestPayload) != event ||
		payload.ErrorType != "AccessDenied" || !strings.HasPrefix(payload.ErrorMessage, want) {
		t.Errorf("record: %+v, %+v", record, payload)
	}
	if names := f.operations(); slices.Contains(names, "RegisterTaskDefinition") {
		t.Errorf("it registered a revision: %v", names)
	}
}

// TestRejectionsAreRecorded checks that a rejection that cannot be published fails
// the invocation, so that Lambda keeps the event.
func TestRejectionsAreRecorded(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "prod", nil)
	f.aws.Inject(denied("events:PutEvents"))
	for _, event := range []string{
		deployEvent("action.production", `{"service":"backend","tag":"git-"}`),
		deployEvent("action.production", `{"service":"backend","tag":"git-0000000"}`),
	} {
		f.failed = nil
		_, err := f.host.InvokeAsync([]byte(event))
		must(t, err)
		must(t, f.host.Wait(t.Context()))
		if len(f.failed) != 1 || string(f.failed[0].RequestPayload) != event ||
			!strings.Contains(string(f.failed[0].ResponsePayload), `"errorType":"AccessDenied"`) {
			t.Errorf("records: %+v", f.failed)
		}
	}
}

// TestLastTry checks that a deployment that AWS denies is reported once, when Lambda
// tries it for the last time, and not before, however old the event is.
func TestLastTry(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "prod", nil)
	f.aws.Inject(denied("ecs:DescribeServices"))
	reports := func() (n int) {
		for _, c := range f.aws.Calls() {
			body := string(c.Body)
			if c.Operation == "PutEvents" && strings.Contains(body, "Deployment Failed") &&
				strings.Contains(body, "AccessDeniedException") {
				n++
			}
		}
		return n
	}
	for _, age := range []time.Duration{0, 10 * time.Minute} {
		f.aws.ResetCalls()
		event := deployEventAt(time.Now().Add(-age), "e1", "action.production", `{"service":"backend","tag":"v1"}`)
		if _, err := f.host.Invoke(t.Context(), []byte(event)); err != nil || reports() != 0 {
			t.Errorf("%s old, tried once: reported %d times, %v", age, reports(), err)
		}
		_, err := f.host.InvokeAsync([]byte(event))
		must(t, err)
		must(t, f.host.Wait(t.Context()))
		if reports() != 1 {
			t.Errorf("%s old, tried by Lambda: reported %d times", age, reports())
		}
	}
}
