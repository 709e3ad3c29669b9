package events_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	devQueue    = "arn:aws:sqs:us-east-1:111111111111:events"
	deadLetters = "arn:aws:sqs:us-east-1:111111111111:dead-letters"
	function    = "arn:aws:lambda:us-east-1:111111111111:function:deployer"
)

func TestPutEvents(t *testing.T) {
	t.Parallel()
	const deploy = `"Source":"action.production","DetailType":"DEPLOY"`
	const sent = `{"Entries":[{"EventId":"ID"}],"FailedEntryCount":0}`
	failed := func(code, message string) string {
		return `{"Entries":[{"ErrorCode":"` + code + `","ErrorMessage":"` + message + `"}],"FailedEntryCount":1}`
	}
	event := func(time, resources string) string {
		return `{"version":"0","id":"ID","detail-type":"DEPLOY","source":"action.production",` +
			`"account":"111111111111","time":"` + time + `","region":"us-east-1","resources":` + resources +
			`,"detail":{"service":"backend"}}`
	}
	const detail = `"Detail":"{\"service\":\"backend\"}"`
	tests := []struct {
		name, entries, want string
		wantEvents          []string
	}{
		{"an event", `{` + deploy + `,` + detail + `}`, sent, []string{event("2026-01-22T09:30:00Z", "[]")}},
		{"with a time and resources", `{` + deploy + `,` + detail + `,"Time":1700000000.9,"Resources":["r"]}`, sent,
			[]string{event("2023-11-14T22:13:20Z", `["r"]`)}},
		{"to the default bus by ARN", `{` + deploy + `,` + detail +
			`,"EventBusName":"arn:aws:events:us-east-1:111111111111:event-bus/default"}`, sent,
			[]string{event("2026-01-22T09:30:00Z", "[]")}},
		{"to a missing bus", `{` + deploy + `,` + detail + `,"EventBusName":"nope"}`, sent, nil},
		{"no source", `{"DetailType":"DEPLOY",` + detail + `}`, failed("InvalidArgument",
			"Parameter Source is not valid. Reason: Source is a required argument."), nil},
		{"no detail type", `{"Source":"action.production",` + detail + `}`, failed("InvalidArgument",
			"Parameter DetailType is not valid. Reason: DetailType is a required argument."), nil},
		{"no detail", `{` + deploy + `}`, failed("InvalidArgument",
			"Parameter Detail is not valid. Reason: Detail is a required argument."), nil},
		{"a detail that is not an object", `{` + deploy + `,"Detail":"[1]"}`, failed("MalformedDetail",
			"Detail is malformed."), nil},
		{"a detail that is null", `{` + deploy + `,"Detail":"null"}`, failed("MalformedDetail", "Detail is malformed."),
			nil},
		{"a detail that is not JSON", `{` + deploy + `,"Detail":"{service: backend}"}`, failed("MalformedDetail",
			"Detail is malformed."), nil},
		{"a source of AWS", `{"Source":"aws.ecr","DetailType":"ECR Image Action",` + detail + `}`,
			failed("NotAuthorizedForSourceException", "Not authorized for the source."), nil},
		{"one of two fails", `{"Source":"aws.x","DetailType":"DEPLOY",` + detail + `},{` + deploy + `,` + detail + `}`,
			`{"Entries":[{"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"Not authorized for the ` +
				`source."},{"EventId":"ID"}],"FailedEntryCount":1}`,
			[]string{event("2026-01-22T09:30:00Z", "[]")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.Rule(t, dev, `{"account":["111111111111"]}`, devQueue, "")
			got := w.Do(t, dev, "events:PutEvents", `{"Entries":[`+tt.entries+`]}`)
			if diff := cmp.Diff(tt.want, emulatortest.HideUUIDs(got)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.wantEvents, w.Bodies(t, devQueue)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPutEventsAsAWhole(t *testing.T) {
	t.Parallel()
	const entry = `{"Source":"s","DetailType":"d","Detail":"{}"}`
	tests := []struct{ name, entries, want string }{
		{"none", ``, `{"__type":"ValidationException","message":"1 validation error detected: Value at 'entries' ` +
			`failed to satisfy constraint: Member must have length greater than or equal to 1"}`},
		{"eleven", strings.Repeat(entry+",", 10) + entry, `{"__type":"ValidationException","message":"1 validation ` +
			`error detected: Value at 'entries' failed to satisfy constraint: Member must have length less than or ` +
			`equal to 10"}`},
		{"too large", `{"Source":"s","DetailType":"d","Detail":"{\"x\":\"` + strings.Repeat("x", 1<<20) + `\"}"}`,
			`{"__type":"ValidationException","message":"Total size of the entries in the request is over the limit."}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			if _, got := w.Raw(t, dev, "events:PutEvents", `{"Entries":[`+tt.entries+`]}`); got != tt.want {
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
		name     string
		function func() error // nil when there is none
		want     int          // invocations
		wantDead []map[string]string
	}{{
		name: "a function", function: func() error { return nil }, want: 1,
	}, {
		name: "a function that fails", function: func() error { return errors.New("no capacity") }, want: 1,
		wantDead: []map[string]string{{
			"RULE_ARN": "arn:aws:events:us-east-1:111111111111:rule/all", "TARGET_ARN": function,
			"ERROR_CODE": "ERROR_FROM_TARGET", "ERROR_MESSAGE": "no capacity", "RETRY_ATTEMPTS": "0",
			"EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
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
			w := emulatortest.New(t, emulator.Options{})
			w.Rule(t, dev, `{"detail-type":["DEPLOY"]}`, function, deadLetter)
			var mu sync.Mutex
			var got []string
			if tt.function != nil {
				w.AWS.HandleLambda(function, func(_ context.Context, event []byte) error {
					mu.Lock()
					defer mu.Unlock()
					got = append(got, emulatortest.HideUUIDs(string(event)))
					return tt.function()
				})
			}
			w.Do(t, dev, "events:PutEvents", deployEntry)
			if err := w.AWS.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			const event = `{"version":"0","id":"ID","detail-type":"DEPLOY","source":"action.production",` +
				`"account":"111111111111","time":"2026-01-22T09:30:00Z","region":"us-east-1","resources":[],` +
				`"detail":{}}`
			if diff := cmp.Diff(slices.Repeat([]string{event}, tt.want), append([]string{}, got...)); diff != "" {
				t.Errorf("invocations (-want +got):\n%s", diff)
			}
			var dead []map[string]string
			for _, m := range w.AWS.Queue(deadLetters) {
				dead = append(dead, m.Attributes)
				if body := emulatortest.HideUUIDs(string(m.Body)); body != event {
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
	w := emulatortest.New(t, emulator.Options{})
	w.Rule(t, dev, `{"detail-type":["DEPLOY"]}`, function, "")
	release := make(chan struct{})
	w.AWS.HandleLambda(function, func(context.Context, []byte) error { <-release; return nil })
	w.Do(t, dev, "events:PutEvents", deployEntry)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.AWS.Drain(ctx); !errors.Is(err, context.Canceled) || err.Error() != "waiting for 1 deliveries: "+
		"context canceled" {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := w.AWS.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}
