package redrive

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	deploy   = `{"id":"e1","detail-type":"DEPLOY","source":"action.production","detail":{}}`
	function = "arn:aws:lambda:us-east-1:333333333333:function:myproject_deployer_prod"
	rule     = "arn:aws:events:us-east-1:333333333333:rule/myproject_deployer_deploy_prod"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		attributes map[string]string
		want       Message
	}{
		{
			name: "a rule's dead letter", body: deploy,
			attributes: map[string]string{
				"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "not authorized", "RULE_ARN": rule,
				"TARGET_ARN": function, "RETRY_ATTEMPTS": "0",
			},
			want: Message{Form: DeadLetter, Event: json.RawMessage(deploy), Why: "NO_PERMISSIONS: not authorized",
				Target: function, RuleARN: rule},
		}, {
			name: "an event without attributes", body: deploy,
			want: Message{Form: DeadLetter, Event: json.RawMessage(deploy)},
		}, {
			name: "a function's record",
			body: `{"version":"1.0","timestamp":"2026-01-22T10:15:30.000Z",
				"requestContext":{"requestId":"r","functionArn":"` + function + `:$LATEST",
					"condition":"RetriesExhausted","approximateInvokeCount":3},
				"requestPayload":` + deploy + `,
				"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
				"responsePayload":{"errorType":"AccessDenied","errorMessage":"no"}}`,
			want: Message{Form: Record, Event: json.RawMessage(deploy), Why: "RetriesExhausted: AccessDenied: no",
				Target: function + ":$LATEST"},
		}, {
			name: "a record of an event that became too old",
			body: `{"requestContext":{"condition":"EventAgeExceeded","approximateInvokeCount":0},
				"requestPayload":` + deploy + `}`,
			want: Message{Form: Record, Event: json.RawMessage(deploy), Why: "EventAgeExceeded"},
		}, {
			name: "a kept event",
			body: `{"kind":"deployer.kept-event","schema":1,"function":"` + function + `",
				"time":"2026-01-22T10:15:31Z","outcome":"Deployment Rejected",
				"detail":{"schema":1,"event":` + deploy + `,"message":"no such image"}}`,
			want: Message{Form: Kept, Event: json.RawMessage(deploy), Why: "no such image", Target: function},
		}, {
			name: "an event that waited, and that no schedule could deliver",
			body: `{"kind":"deployer.waiting-event","schema":1,"function":"` + function + `","services":["backend"],
				"event":` + deploy + `}`,
			attributes: map[string]string{"ERROR_CODE": "AccessDenied", "ERROR_MESSAGE": "no", "TARGET_ARN": function},
			want: Message{Form: Waited, Event: json.RawMessage(deploy), Why: "AccessDenied: no",
				Target: function},
		}, {
			name: "a record of an event that waited",
			body: `{"requestContext":{"functionArn":"` + function + `","condition":"RetriesExhausted",
				"approximateInvokeCount":3},"requestPayload":{"kind":"deployer.waiting-event","schema":1,
				"event":` + deploy + `}}`,
			want: Message{Form: Record, Event: json.RawMessage(deploy), Why: "RetriesExhausted", Target: function},
		}, {
			name: "an outcome",
			body: `{"version":"0","id":"o1","detail-type":"Deployment Rejected","source":"deployer",
				"detail":{"schema":1,"event":` + deploy + `,"message":"no such image"}}`,
			want: Message{Form: FromTheBus, Event: json.RawMessage(deploy), Why: "no such image"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse([]byte(tt.body), tt.attributes)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseNoEvent(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		``, `nope`, `{}`, `[]`, `"x"`, `null`, `{"requestContext":{}}`, `{"requestPayload":{}}`, `{"detail-type":5}`,
		`{"detail-type":"Deployment Rejected","source":"deployer","detail":{"event":"nope"}}`,
		`{"detail-type":"Deployment Failed","source":"deployer","detail":{}}`,
		`{"detail-type":"DEPLOY","source":"deployer","detail":"x"}`,
	} {
		if got, err := Parse([]byte(bad), nil); !errors.Is(err, ErrNoEvent) {
			t.Errorf("Parse(%q) = %v, %v", bad, got, err)
		}
	}
}

// TestParseKeptWithoutEvent reads kept events that cannot be run.
func TestParseKeptWithoutEvent(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"kind":"deployer.kept-event","schema":1,"detail":{"event":"nope","message":"not JSON"}}`: "it has no event " +
			"that can be run again: not JSON",
		`{"kind":"deployer.kept-event","schema":9}`: "the message has schema 9, and this version of the deployer " +
			"reads schema 1",
	} {
		if m, err := Parse([]byte(body), nil); err == nil || err.Error() != want || m.Form != Kept {
			t.Errorf("%s: %+v, %v", body, m, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(deploy))
	f.Add([]byte(`{"requestContext":{"condition":"RetriesExhausted"},"requestPayload":{}}`))
	f.Add([]byte(`{"requestContext":null,"requestPayload":null,"detail-type":""}`))
	f.Add([]byte(`{"kind":"deployer.kept-event","schema":1,"detail":{"event":{}}}`))
	f.Add([]byte(`{"detail-type":"Deployment Failed","source":"deployer","detail":{"event":{}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Parse(body, nil)
		if m.Form == "" || err == nil && !json.Valid(m.Event) {
			t.Errorf("Parse(%q) = %+v, %v", body, m, err)
		}
	})
}
