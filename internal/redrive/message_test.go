package redrive

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const event = `{"id":"e1","detail-type":"DEPLOY","source":"action.production","detail":{}}`

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		attributes map[string]string
		want       Message
	}{
		{
			name: "a rule's dead letter", body: event,
			attributes: map[string]string{
				"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "not authorized", "RULE_ARN": "arn",
			},
			want: Message{json.RawMessage(event), "NO_PERMISSIONS: not authorized"},
		}, {
			name: "a function's record",
			body: `{"version":"1.0","timestamp":"2026-01-22T10:15:30.000Z",
				"requestContext":{"requestId":"r","functionArn":"f:$LATEST",
					"condition":"RetriesExhausted","approximateInvokeCount":3},
				"requestPayload":` + event + `,
				"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
				"responsePayload":{"errorType":"AccessDenied","errorMessage":"no"}}`,
			want: Message{json.RawMessage(event), "RetriesExhausted: AccessDenied: no"},
		}, {
			name: "a record of an event that became too old",
			body: `{"requestContext":{"condition":"EventAgeExceeded","approximateInvokeCount":0},
				"requestPayload":` + event + `}`,
			want: Message{json.RawMessage(event), "EventAgeExceeded"},
		}, {
			name: "an outcome",
			body: `{"version":"0","id":"o1","detail-type":"Deployment Rejected","source":"deployer",
				"detail":{"schema":1,"event":` + event + `,"message":"no such image"}}`,
			want: Message{json.RawMessage(event), "no such image"},
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

func FuzzParse(f *testing.F) {
	f.Add([]byte(event))
	f.Add([]byte(`{"requestContext":{"condition":"RetriesExhausted"},"requestPayload":{}}`))
	f.Add([]byte(`{"requestContext":null,"requestPayload":null,"detail-type":""}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Parse(body, nil)
		if err != nil && !errors.Is(err, ErrNoEvent) || err == nil && !json.Valid(r.Event) {
			t.Errorf("Parse(%q) = %q, %v", body, r.Event, err)
		}
	})
}
