package scheduler_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"deployer/internal/iam"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	account  = "333333333333"
	function = "arn:aws:lambda:us-east-1:333333333333:function:f"
	role     = "arn:aws:iam::333333333333:role/retry"
	queue    = "arn:aws:sqs:us-east-1:333333333333:failed"
	input    = `{"id":"e1"}`
)

var start = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)

// body returns the input of CreateSchedule, for the given expression.
func body(expression string) string {
	return fmt.Sprintf(`{"ActionAfterCompletion":"DELETE","FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"g",
		"ScheduleExpression":%q,"Target":{"Arn":%q,"RoleArn":%q,"Input":%q,
		"DeadLetterConfig":{"Arn":%q},"RetryPolicy":{"MaximumEventAgeInSeconds":60,"MaximumRetryAttempts":0}}}`, expression, function, role, input,
		queue)
}

// create calls CreateSchedule as a role, "" for the administrator, and returns the name of the error, "" if it
// succeeds.
func create(t *testing.T, url, caller, name, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/schedules/"+name, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	key := account
	if caller != "" {
		key += "-" + caller
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+
		"/20260122/us-east-1/scheduler/aws4_request, SignedHeaders=host, Signature=00")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.Header.Get("X-Amzn-ErrorType")
}

// policy returns a policy that allows an action on a resource.
func policy(t *testing.T, action, resource string) *iam.Document {
	t.Helper()
	d, err := iam.Parse(fmt.Appendf(nil, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":%q,
		"Resource":%q}}`, action, resource))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestCreate checks what CreateSchedule refuses.
func TestCreate(t *testing.T) {
	t.Parallel()
	const at = "at(2026-01-22T10:01:00)"
	for _, tt := range []struct{ name, caller, schedule, body, want string }{
		{"right", "", "s", body(at), ""},
		{"by its role", "own", "s", body(at), ""},
		{"twice", "", "exists", body(at), "ConflictException"},
		{"a role without permission", "none", "s", body(at), "AccessDeniedException"},
		{"a role that may not pass the target's", "passless", "s", body(at), "AccessDeniedException"},
		{"no such group", "", "s", strings.Replace(body(at), `"g"`, `"h"`, 1), "ResourceNotFoundException"},
		{"a long name", "", strings.Repeat("s", 65), body(at), "ValidationException"},
		{"no seconds", "", "s", body("at(2026-01-22T10:01)"), "ValidationException"},
		{"a zone", "", "s", body("at(2026-01-22T10:01:00Z)"), "ValidationException"},
		{"no window", "", "s", strings.Replace(body(at), "OFF", "", 1), "ValidationException"},
		{"short age", "", "s", strings.Replace(body(at), "Seconds\":60", "Seconds\":59", 1), "ValidationException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, url := emulatortest.Start(t, emulator.Options{})
			e.CreateScheduleGroup(account, "us-east-1", "g")
			create := func(caller, name, body string) string { return create(t, url, caller, name, body) }
			mayCreate := policy(t, "scheduler:CreateSchedule", "arn:aws:scheduler:us-east-1:333333333333:schedule/g/*")
			e.SetRolePolicy(account, "own", mayCreate, policy(t, "iam:PassRole", role))
			e.SetRolePolicy(account, "passless", mayCreate)
			e.SetRolePolicy(account, "none")
			if got := create("", "exists", body(at)); got != "" {
				t.Fatal(got)
			}
			if got := create(tt.caller, tt.schedule, tt.body); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestRun checks that a schedule invokes the function once when it is due, with its role, or else sends a dead letter.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		allowed, fails bool
		invoked, dead  int
	}{
		{"due", true, false, 1, 0},
		{"denied", false, false, 0, 1},
		{"the function cannot be invoked", true, true, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := emulator.NewClock(start)
			e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
			e.CreateScheduleGroup(account, "us-east-1", "g")
			documents := []*iam.Document{policy(t, "sqs:SendMessage", queue)}
			if tt.allowed {
				documents = append(documents, policy(t, "lambda:InvokeFunction", function))
			}
			e.SetRolePolicy(account, "retry", documents...)
			var mu sync.Mutex
			var inputs []string
			e.HandleLambda(function, func(_ context.Context, event []byte) error {
				mu.Lock()
				defer mu.Unlock()
				inputs = append(inputs, string(event))
				if tt.fails {
					return fmt.Errorf("no")
				}
				return nil
			})
			if got := create(t, url, "", "s", body("at(2026-01-22T10:01:00)")); got != "" {
				t.Fatal(got)
			}
			for i, advance := range []time.Duration{59 * time.Second, time.Second, time.Hour} {
				clock.Advance(advance)
				e.Tick()
				if err := e.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if i == 0 && len(inputs)+len(e.Queue(queue)) > 0 {
					t.Error("it ran before it was due")
				}
			}
			letters := e.Queue(queue)
			if len(inputs) != tt.invoked || len(letters) != tt.dead || len(e.Scheduled()) > 0 {
				t.Errorf("invoked with %q, dead letters %+v", inputs, letters)
			}
			for _, m := range letters {
				if string(m.Body) != input || m.Attributes["TARGET_ARN"] != function ||
					!strings.HasPrefix(m.SenderID, "AROA") {
					t.Errorf("dead letter %+v", m)
				}
			}
		})
	}
}
