package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
)

const (
	devQueue    = "arn:aws:sqs:us-east-1:111111111111:events"
	deadLetters = "arn:aws:sqs:us-east-1:111111111111:dead-letters"
	function    = "arn:aws:lambda:us-east-1:111111111111:function:deployer"
)

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// rule makes the rule "all" on the default bus of the key's account, with one target;
// more are further members of the target.
func (w *world) rule(t *testing.T, key, pattern, target, more string) {
	t.Helper()
	quoted, err := json.Marshal(pattern)
	if err != nil {
		t.Fatal(err)
	}
	w.do(t, key, "events:PutRule", `{"Name":"all","EventPattern":`+string(quoted)+`}`)
	w.do(t, key, "events:PutTargets", `{"Rule":"all","Targets":[{"Id":"t","Arn":"`+target+`"`+more+`}]}`)
}

// bodies are the messages in the queue, with ID for every id.
func (w *world) bodies(t *testing.T, queue string) []string {
	t.Helper()
	var bodies []string
	for _, m := range w.Queue(queue) {
		bodies = append(bodies, uuid.ReplaceAllString(string(m.Body), "ID"))
	}
	return bodies
}

func TestImageEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.rule(t, dev, `{"source":["aws.ecr"]}`, devQueue, "")
	w.do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	w.clock.Advance(1500 * time.Millisecond)
	one := w.push(t, dev, "myproject_backend", "one", "latest")
	w.push(t, dev, "myproject_backend", "one", "git-abc123f")
	two := w.push(t, dev, "myproject_backend", "two", "")
	w.do(t, dev, "ecr:BatchDeleteImage", `{"repositoryName":"myproject_backend","imageIds":[{"imageTag":"latest"}]}`)
	event := func(action, digest, tag string) string {
		return `{"version":"0","id":"ID","detail-type":"ECR Image Action","source":"aws.ecr","account":"111111111111","time":"2026-01-22T09:30:01Z","region":"us-east-1","resources":[],` +
			`"detail":{"action-type":"` + action + `","image-digest":"` + digest + `",` + tag + `"repository-name":"myproject_backend","result":"SUCCESS"}}`
	}
	want := []string{
		event("PUSH", one, `"image-tag":"latest",`),
		event("PUSH", one, `"image-tag":"git-abc123f",`),
		event("PUSH", two, ``),
		event("DELETE", one, `"image-tag":"latest",`),
	}
	if diff := cmp.Diff(want, w.bodies(t, devQueue)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestDeploymentEvents(t *testing.T) {
	t.Parallel()
	w := newService(t, rollback)
	w.Tick()
	w.rule(t, dev, `{"source":["aws.ecs"]}`, devQueue, "")
	w.FailImage("broken")
	w.register(t, dev, "web", "nginx:broken")
	w.update(t, "web")
	w.clock.Advance(time.Hour)
	w.Tick()
	event := func(at, kind, name, id, reason string) string {
		return `{"version":"0","id":"ID","detail-type":"ECS Deployment State Change","source":"aws.ecs","account":"111111111111","time":"2026-01-22T` + at + `Z","region":"us-east-1",` +
			`"resources":["arn:aws:ecs:us-east-1:111111111111:service/c/web"],` +
			`"detail":{"deploymentId":"` + id + `","eventName":"SERVICE_DEPLOYMENT_` + name + `","eventType":"` + kind + `","reason":"` + reason + `","updatedAt":"2026-01-22T` + at + `Z"}}`
	}
	want := []string{
		event("09:32:00", "INFO", "IN_PROGRESS", "d1", "ECS deployment d1 in progress."),
		event("09:34:00", "ERROR", "FAILED", "d1", "ECS deployment circuit breaker: tasks failed to start."),
		event("09:34:00", "INFO", "IN_PROGRESS", "d2", "ECS deployment circuit breaker: rolling back to deploymentId d3."),
		event("09:36:00", "INFO", "COMPLETED", "d2", "ECS deployment d2 completed."),
	}
	var got []string
	n := names{}
	for _, body := range w.bodies(t, devQueue) {
		got = append(got, n.replace(body))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// A service whose tasks keep failing is said to be impaired, once; without the circuit
// breaker nothing else ever happens to it.
func TestImpairedService(t *testing.T) {
	t.Parallel()
	const breaker = `,"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":false}}`
	impaired := func(at string) string {
		return `{"version":"0","id":"ID","detail-type":"ECS Service Action","source":"aws.ecs","account":"111111111111","time":"2026-01-22T` + at + `Z","region":"us-east-1",` +
			`"resources":["arn:aws:ecs:us-east-1:111111111111:service/c/web"],` +
			`"detail":{"clusterArn":"arn:aws:ecs:us-east-1:111111111111:cluster/c","createdAt":"2026-01-22T` + at + `.000Z","eventName":"SERVICE_TASK_START_IMPAIRED","eventType":"WARN"}}`
	}
	tests := []struct {
		name, more string
		desired    int
		each       time.Duration // between looks
		want       []string
	}{
		{"looked at once", "", 2, time.Hour, []string{impaired("09:35:00")}},
		{"looked at often", "", 2, time.Minute, []string{impaired("09:35:00")}},
		{"before the breaker trips", breaker, 8, time.Minute, nil}, // it trips at once
		{"as the breaker trips", breaker, 1, time.Minute, []string{impaired("09:35:00")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newService(t, tt.more)
			w.do(t, dev, "ecs:UpdateService", fmt.Sprintf(`{"cluster":"c","service":"web","desiredCount":%d}`, tt.desired))
			w.rule(t, dev, `{"source":["aws.ecs"],"detail-type":["ECS Service Action"]}`, devQueue, "")
			w.FailImage("broken")
			w.register(t, dev, "web", "nginx:broken")
			w.update(t, "web")
			for passed := time.Duration(0); passed < time.Hour; passed += tt.each {
				w.clock.Advance(tt.each)
				w.Tick()
			}
			if diff := cmp.Diff(tt.want, w.bodies(t, devQueue)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPutEvents(t *testing.T) {
	t.Parallel()
	const deploy = `"Source":"action.production","DetailType":"DEPLOY"`
	const sent = `{"Entries":[{"EventId":"ID"}],"FailedEntryCount":0}`
	failed := func(code, message string) string {
		return `{"Entries":[{"ErrorCode":"` + code + `","ErrorMessage":"` + message + `"}],"FailedEntryCount":1}`
	}
	event := func(time, resources string) string {
		return `{"version":"0","id":"ID","detail-type":"DEPLOY","source":"action.production","account":"111111111111","time":"` + time + `","region":"us-east-1","resources":` + resources + `,"detail":{"service":"backend"}}`
	}
	const detail = `"Detail":"{\"service\":\"backend\"}"`
	tests := []struct {
		name, entries, want string
		wantEvents          []string
	}{
		{"an event", `{` + deploy + `,` + detail + `}`, sent, []string{event("2026-01-22T09:30:00Z", "[]")}},
		{"with a time and resources", `{` + deploy + `,` + detail + `,"Time":1700000000.9,"Resources":["r"]}`, sent, []string{event("2023-11-14T22:13:20Z", `["r"]`)}},
		{"to the default bus by ARN", `{` + deploy + `,` + detail + `,"EventBusName":"arn:aws:events:us-east-1:111111111111:event-bus/default"}`, sent, []string{event("2026-01-22T09:30:00Z", "[]")}},
		{"to a bus that is not there", `{` + deploy + `,` + detail + `,"EventBusName":"nope"}`, sent, nil},
		{"no source", `{"DetailType":"DEPLOY",` + detail + `}`, failed("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."), nil},
		{"no detail type", `{"Source":"action.production",` + detail + `}`, failed("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."), nil},
		{"no detail", `{` + deploy + `}`, failed("InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."), nil},
		{"a detail that is no object", `{` + deploy + `,"Detail":"[1]"}`, failed("MalformedDetail", "Detail is malformed."), nil},
		{"a detail that is null", `{` + deploy + `,"Detail":"null"}`, failed("MalformedDetail", "Detail is malformed."), nil},
		{"a detail that is no JSON", `{` + deploy + `,"Detail":"{service: backend}"}`, failed("MalformedDetail", "Detail is malformed."), nil},
		{"a source of AWS", `{"Source":"aws.ecr","DetailType":"ECR Image Action",` + detail + `}`, failed("NotAuthorizedForSourceException", "Not authorized for the source."), nil},
		{"one of two fails", `{"Source":"aws.x","DetailType":"DEPLOY",` + detail + `},{` + deploy + `,` + detail + `}`,
			`{"Entries":[{"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"Not authorized for the source."},{"EventId":"ID"}],"FailedEntryCount":1}`,
			[]string{event("2026-01-22T09:30:00Z", "[]")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.rule(t, dev, `{"account":["111111111111"]}`, devQueue, "")
			got := w.do(t, dev, "events:PutEvents", `{"Entries":[`+tt.entries+`]}`)
			if diff := cmp.Diff(tt.want, uuid.ReplaceAllString(got, "ID")); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.wantEvents, w.bodies(t, devQueue)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPutEventsAsAWhole(t *testing.T) {
	t.Parallel()
	const entry = `{"Source":"s","DetailType":"d","Detail":"{}"}`
	tests := []struct{ name, entries, want string }{
		{"none", ``, `{"__type":"ValidationException","message":"1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1"}`},
		{"eleven", strings.Repeat(entry+",", 10) + entry, `{"__type":"ValidationException","message":"1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"}`},
		{"too large", `{"Source":"s","DetailType":"d","Detail":"{\"x\":\"` + strings.Repeat("x", 1<<20) + `\"}"}`, `{"__type":"ValidationException","message":"Total size of the entries in the request is over the limit."}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			if _, got := w.raw(t, dev, "events:PutEvents", `{"Entries":[`+tt.entries+`]}`); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

const deployEntry = `{"Entries":[{"Source":"action.production","DetailType":"DEPLOY","Detail":"{}"}]}`

func TestLambdaDelivery(t *testing.T) {
	t.Parallel()
	const deadLetter = `,"DeadLetterConfig":{"Arn":"` + deadLetters + `"}`
	tests := []struct {
		name       string
		function   func() error // nil when there is none
		duplicates int
		want       int // invocations
		wantDead   []map[string]string
	}{{
		name: "a function", function: func() error { return nil }, want: 1,
	}, {
		name: "delivered more than once", function: func() error { return nil }, duplicates: 2, want: 3,
	}, {
		name: "a function that fails", function: func() error { return errors.New("no capacity") }, want: 1,
		wantDead: []map[string]string{{
			"RULE_ARN": "arn:aws:events:us-east-1:111111111111:rule/all", "TARGET_ARN": function,
			"ERROR_CODE": "ERROR_FROM_TARGET", "ERROR_MESSAGE": "no capacity", "RETRY_ATTEMPTS": "0", "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
		}},
	}, {
		name: "no function",
		wantDead: []map[string]string{{
			"RULE_ARN": "arn:aws:events:us-east-1:111111111111:rule/all", "TARGET_ARN": function,
			"ERROR_CODE": "NO_RESOURCE", "ERROR_MESSAGE": "Function not found: " + function, "RETRY_ATTEMPTS": "0",
		}},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			w.rule(t, dev, `{"detail-type":["DEPLOY"]}`, function, deadLetter)
			var mu sync.Mutex
			var got []string
			if tt.function != nil {
				w.HandleLambda(function, func(_ context.Context, event []byte) error {
					mu.Lock()
					defer mu.Unlock()
					got = append(got, uuid.ReplaceAllString(string(event), "ID"))
					return tt.function()
				})
			}
			w.DuplicateDeliveries(tt.duplicates)
			w.do(t, dev, "events:PutEvents", deployEntry)
			if err := w.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			const event = `{"version":"0","id":"ID","detail-type":"DEPLOY","source":"action.production","account":"111111111111","time":"2026-01-22T09:30:00Z","region":"us-east-1","resources":[],"detail":{}}`
			if diff := cmp.Diff(slices.Repeat([]string{event}, tt.want), append([]string{}, got...)); diff != "" {
				t.Errorf("invocations (-want +got):\n%s", diff)
			}
			var dead []map[string]string
			for _, m := range w.Queue(deadLetters) {
				dead = append(dead, m.Attributes)
				if body := uuid.ReplaceAllString(string(m.Body), "ID"); body != event {
					t.Errorf("the dead letter is %s, want %s", body, event)
				}
			}
			if diff := cmp.Diff(tt.wantDead, dead); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDrainGivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.rule(t, dev, `{"detail-type":["DEPLOY"]}`, function, "")
	release := make(chan struct{})
	w.HandleLambda(function, func(context.Context, []byte) error { <-release; return nil })
	w.do(t, dev, "events:PutEvents", deployEntry)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Drain(ctx); !errors.Is(err, context.Canceled) || err.Error() != "waiting for 1 deliveries: context canceled" {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := w.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}
