package kept

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/outcome"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	queueURL = "https://sqs.us-east-1.amazonaws.com/333333333333/shop_deployer_failed_prod"
	queueARN = "arn:aws:sqs:us-east-1:333333333333:shop_deployer_failed_prod"
	function = "arn:aws:lambda:us-east-1:333333333333:function:shop_deployer_prod"
)

var at = time.Date(2026, 1, 22, 10, 15, 31, 0, time.UTC)

// rejected returns the outcome of an event that was rejected.
func rejected(t *testing.T, raw string) outcome.Outcome {
	t.Helper()
	env := &environment.Environment{Project: "shop", Name: "prod", Region: "us-east-1", AccountID: accounts.Prod}
	o := outcome.New(env, environment.Workload{})
	o.Time, o.Cause, o.Problem, o.Event = at, event.Cause{ID: "e1"}, "no such image", json.RawMessage(raw)
	o, err := outcome.Rejected(o)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestKeep keeps a rejected event, and reads the message again.
func TestKeep(t *testing.T) {
	t.Parallel()
	e, url := emulatortest.Start(t, emulator.Options{})
	config := accounts.Connect(url, accounts.Prod, accounts.Region).Config
	started := rejected(t, `{}`)
	started.Kind = outcome.DeploymentStarted
	o := rejected(t, `{"id":"e1","detail":{"tag":"a<b"}}`)
	if err := NewQueue(config, queueURL).Keep(t.Context(), function, at, started, o); err != nil {
		t.Fatal(err)
	}
	messages := e.Queue(queueARN)
	if len(messages) != 1 || len(e.UnknownOperations()) > 0 {
		t.Fatalf("%v, unknown: %v", messages, e.UnknownOperations())
	}
	const want = `{"kind":"deployer.kept-event","schema":1,"function":"` + function + `",` +
		`"time":"2026-01-22T10:15:31Z","outcome":"Deployment Rejected",` +
		`"detail":{"schema":1,"environment":"prod","project":"shop","event_id":"e1",` +
		`"cause":"no such image","event":{"id":"e1","detail":{"tag":"a<b"}},` +
		`"message":"an event for shop in prod was rejected: no such image"}}`
	if diff := cmp.Diff(want, string(messages[0].Body)); diff != "" {
		t.Error(diff)
	}
	m, ok, err := Parse(messages[0].Body)
	raw, why := m.Event()
	if !ok || err != nil || m.Function != function || string(raw) != `{"id":"e1","detail":{"tag":"a<b"}}` ||
		why != "an event for shop in prod was rejected: no such image" {
		t.Errorf("%+v, %v, %v: %s, %s", m, ok, err, raw, why)
	}
}

// TestKeepAnyText keeps events whose texts SQS would refuse as they are, and those that are no event.
func TestKeepAnyText(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ raw, want string }{
		"noncharacters":      {`{"a":"` + "\uFFFE\uFFFF" + `"}`, `{"a":"\uFFFE\uFFFF"}`},
		"invalid UTF-8":      {`{"a":"` + "\xff" + `"}`, `{"a":"` + "\uFFFD" + `"}`},
		"control characters": {`{"a":"\u0000\u001b[2J"}`, `{"a":"\u0000\u001b[2J"}`},
		"not JSON":           {"\x00nope", ""},
		"an array":           {`[{}]`, ""},
	} {
		e, url := emulatortest.Start(t, emulator.Options{})
		config := accounts.Connect(url, accounts.Prod, accounts.Region).Config
		if err := NewQueue(config, queueURL).Keep(t.Context(), function, at, rejected(t, tt.raw)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, ok, err := Parse(e.Queue(queueARN)[0].Body)
		if raw, _ := m.Event(); !ok || err != nil || string(raw) != tt.want {
			t.Errorf("%s: %v, %v: %s, want %s", name, ok, err, raw, tt.want)
		}
	}
}

// TestKeepDenied checks the error of a refusal, which the function returns.
func TestKeepDenied(t *testing.T) {
	t.Parallel()
	e, url := emulatortest.Start(t, emulator.Options{})
	config := accounts.Connect(url, accounts.Prod, accounts.Region).Config
	e.Inject(emulator.Fault{Operation: "sqs:SendMessage", Error: emulator.AccessDenied("no")})
	err := NewQueue(config, queueURL).Keep(t.Context(), function, at, rejected(t, `{}`))
	const doing = `keeping event "e1" in queue "` + queueURL + `": `
	if !errors.Is(err, fault.ErrAccessDenied) || !strings.HasPrefix(err.Error(), doing) {
		t.Error(err)
	}
}

// TestNoQueue checks that a function without a queue keeps nothing.
func TestNoQueue(t *testing.T) {
	t.Parallel()
	if err := NewQueue(aws.Config{}, "").Keep(t.Context(), function, at, rejected(t, `{}`)); err != nil {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body string
		ok   bool
		err  string
	}{
		{``, false, ""},
		{`null`, false, ""},
		{`[]`, false, ""},
		{`{}`, false, ""},
		{`{"kind":"deployer.kept-events","schema":1}`, false, ""},
		{`{"kind":"deployer.kept-event","schema":1}`, true, ""},
		{`{"kind":"deployer.kept-event","schema":1,"more":[]}`, true, ""},
		{`{"kind":"deployer.kept-event","schema":2}`, true,
			`the message has schema 2, and this version of the deployer reads schema 1`},
		{`{"kind":"deployer.kept-event"}`, true,
			`the message has schema 0, and this version of the deployer reads schema 1`},
		{`{"kind":"deployer.kept-event","schema":1,"time":"never"}`, true,
			`the message is not as schema 1 has it: parsing time "never" as "2006-01-02T15:04:05Z07:00": ` +
				`cannot parse "never" as "2006"`},
	} {
		text := ""
		_, ok, err := Parse([]byte(tt.body))
		if err != nil {
			text = err.Error()
		}
		if ok != tt.ok || text != tt.err {
			t.Errorf("Parse(%s): %v, %q; want %v, %q", tt.body, ok, text, tt.ok, tt.err)
		}
	}
}

// FuzzParse checks that what Parse reads has an event that is a JSON object, or none.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"kind":"deployer.kept-event","schema":1,"time":"2026-01-22T10:15:31Z","detail":{"event":{}}}`))
	f.Add([]byte(`{"kind":"deployer.kept-event","schema":1,"detail":{"event":"text"}}`))
	f.Add([]byte(`{"kind":"deployer.kept-event","schema":1,"detail":5}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, ok, err := Parse(body)
		raw, _ := m.Event()
		var object map[string]json.RawMessage
		if raw != nil && json.Unmarshal(raw, &object) != nil || err != nil && !ok {
			t.Errorf("Parse(%q) = %+v, %v, %v with event %q", body, m, ok, err, raw)
		}
	})
}
