package retry

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	group    = "shop_deployer_retry_prod"
	role     = "arn:aws:iam::333333333333:role/shop_deployer_retry_prod"
	queue    = "arn:aws:sqs:us-east-1:333333333333:shop_deployer_failed_prod"
	function = "arn:aws:lambda:us-east-1:333333333333:function:shop_deployer_prod"
)

var due = time.Date(2026, 1, 22, 10, 16, 30, 900, time.UTC)

// TestSchedule checks the call that makes a schedule, and what the function gets by it.
func TestSchedule(t *testing.T) {
	t.Parallel()
	e, url := emulatortest.Start(t, emulator.Options{})
	e.CreateScheduleGroup(accounts.Prod, accounts.Region, group)
	config := accounts.Connect(url, accounts.Prod, accounts.Region).Config
	m := Message{Function: function, Due: due, Services: []string{"web"},
		Event: json.RawMessage(`{"id":"e1","detail":{"reason":"<aws.scheduler.execution-id> & more"}}`)}
	if err := NewScheduler(config, group, role).Schedule(t.Context(), m, queue); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Time{due.Truncate(time.Second)}, e.Scheduled()); diff != "" {
		t.Error(diff)
	}
	var sent struct {
		Name string
		Body schedule
	}
	if err := json.Unmarshal(e.Calls()[0].Body, &sent); err != nil {
		t.Fatal(err)
	}
	input := sent.Body.Target.Input
	sent.Body.Target.Input = ""
	var want schedule
	want.ActionAfterCompletion, want.FlexibleTimeWindow.Mode, want.GroupName = "DELETE", "OFF", group
	want.ScheduleExpression = "at(2026-01-22T10:16:30)"
	want.Target.Arn, want.Target.RoleArn, want.Target.DeadLetterConfig.Arn = function, role, queue
	want.Target.RetryPolicy.MaximumEventAgeInSeconds, want.Target.RetryPolicy.MaximumRetryAttempts = 3600, 185
	if diff := cmp.Diff(want, sent.Body); diff != "" {
		t.Error(diff)
	}
	const wantInput = `{"kind":"deployer.waiting-event","schema":1,"function":"` + function + `",` +
		`"due":"2026-01-22T10:16:30Z","services":["web"],` +
		`"event":{"id":"e1","detail":{"reason":"\u003caws.scheduler.execution-id\u003e \u0026 more"}}}`
	if diff := cmp.Diff(wantInput, input); diff != "" {
		t.Error(diff)
	}
	m.Kind, m.Schema, m.Due = Kind, Schema, due.Truncate(time.Second)
	got, ok, err := Parse([]byte(input), function)
	var event struct{ Detail struct{ Reason string } }
	if !ok || err != nil || json.Unmarshal(got.Event, &event) != nil ||
		event.Detail.Reason != "<aws.scheduler.execution-id> & more" {
		t.Errorf("%+v, %v, %v: %+v", got, ok, err, event)
	}
	got.Event, m.Event = nil, nil
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
}

// TestScheduleOnce checks which messages share a schedule: a duplicate, and one whose
// answer was lost.
func TestScheduleOnce(t *testing.T) {
	t.Parallel()
	m := Message{Function: function, Due: due, Services: []string{"web"}, Event: json.RawMessage(`{"id":"e1"}`)}
	for name, tt := range map[string]struct {
		change func(*Message)
		want   int
	}{
		"a duplicate":        {func(*Message) {}, 1},
		"within the second":  {func(m *Message) { m.Due = m.Due.Add(time.Microsecond) }, 1},
		"in another layout":  {func(m *Message) { m.Event = json.RawMessage(` { "id": "e1"}`) }, 1},
		"another event":      {func(m *Message) { m.Event = json.RawMessage(`{"id":"e2"}`) }, 2},
		"more services":      {func(m *Message) { m.Services = []string{"web", "api"} }, 2},
		"another time":       {func(m *Message) { m.Due = m.Due.Add(time.Minute) }, 2},
		"another key":        {func(m *Message) { m.Key = "k" }, 2},
		"the answer is lost": {nil, 1},
	} {
		e, url := emulatortest.Start(t, emulator.Options{})
		e.CreateScheduleGroup(accounts.Prod, accounts.Region, group)
		s := NewScheduler(accounts.Connect(url, accounts.Prod, accounts.Region).Config, group, role)
		other := m
		if tt.change == nil {
			e.Inject(emulator.Fault{Operation: "scheduler:CreateSchedule", Times: 1, Drop: emulator.DropAfter})
		} else {
			tt.change(&other)
		}
		err := errors.Join(s.Schedule(t.Context(), m, queue), s.Schedule(t.Context(), other, queue))
		if got := len(e.Scheduled()); err != nil || got != tt.want {
			t.Errorf("%s: %d schedules, want %d: %v", name, got, tt.want, err)
		}
	}
}

// TestScheduleDenied checks the errors of calls that AWS refuses.
func TestScheduleDenied(t *testing.T) {
	t.Parallel()
	e, url := emulatortest.Start(t, emulator.Options{})
	s := NewScheduler(accounts.Connect(url, accounts.Prod, accounts.Region).Config, group, role)
	m := Message{Function: function, Due: due, Services: []string{"web"}, Event: json.RawMessage(`{"id":"e1"}`)}
	const doing = `scheduling the next try in group "shop_deployer_retry_prod" as "`
	err := s.Schedule(t.Context(), m, queue)
	if fault.NameOf(err) != "ResourceNotFound" || !strings.HasPrefix(err.Error(), doing) {
		t.Errorf("without the group: %v", err)
	}
	e.Inject(emulator.Fault{Operation: "scheduler:CreateSchedule", Error: emulator.AccessDenied("no")})
	if err := s.Schedule(t.Context(), m, queue); !errors.Is(err, fault.ErrAccessDenied) {
		t.Errorf("denied: %v", err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	const rest = `,"function":"` + function + `","due":"2026-01-22T10:16:30Z","services":["web"],"event":{"id":"e1"}}`
	for _, tt := range []struct {
		raw string
		ok  bool
		err string
	}{
		{``, false, ""},
		{`null`, false, ""},
		{`[]`, false, ""},
		{`{"id":"e1","detail":{"kind":"deployer.waiting-event","schema":1}}`, false, ""},
		{`{"kind":"deployer.kept-event","schema":1` + rest, false, ""},
		{`{"kind":"deployer.waiting-event","schema":1` + rest, true, ""},
		{`{"kind":"deployer.waiting-event","schema":1,"more":[]` + rest, true, ""},
		{`{"kind":"deployer.waiting-event","schema":2` + rest, true,
			`the message has schema 2, and this version of the deployer reads schema 1`},
		{`{"kind":"deployer.waiting-event","schema":1,"due":"never"}`, true,
			`the message is not as schema 1 has it: parsing time "never" as "2006-01-02T15:04:05Z07:00": ` +
				`cannot parse "never" as "2006"`},
		{`{"kind":"deployer.waiting-event","schema":1,"function":"other"}`, true,
			`the message is for another function: its member function is "other", not "` + function + `"`},
		{`{"kind":"deployer.waiting-event","schema":1,"function":"` + function + `","event":[]}`, true,
			`the message has no event`},
		{`{"kind":"deployer.waiting-event","schema":1,"function":"` + function + `","event":{}}`, true,
			`the message has no services, or not the time when it was due`},
	} {
		text := ""
		_, ok, err := Parse([]byte(tt.raw), function)
		if err != nil {
			text = err.Error()
		}
		if ok != tt.ok || text != tt.err {
			t.Errorf("Parse(%s): %v, %q; want %v, %q", tt.raw, ok, text, tt.ok, tt.err)
		}
	}
}

// FuzzParse checks that a message without an error has an event that is a JSON object,
// which [EventOf] finds too.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"kind":"deployer.waiting-event","schema":1,"function":"` + function +
		`","due":"2026-01-22T10:16:30Z","services":["web"],"event":{"id":"e1"}}`))
	f.Add([]byte(`{"kind":"deployer.waiting-event","schema":1,"event":"text"}`))
	f.Add([]byte(`{"id":"e1"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, ok, err := Parse(raw, function)
		event, waited := EventOf(raw)
		var object map[string]json.RawMessage
		same := waited && string(event) == string(m.Event)
		if ok && err == nil && (!same || json.Unmarshal(m.Event, &object) != nil) {
			t.Errorf("Parse(%q) = %+v with event %q", raw, m, event)
		}
		if err != nil && !ok {
			t.Errorf("Parse(%q): an error for what is no message: %v", raw, err)
		}
	})
}
