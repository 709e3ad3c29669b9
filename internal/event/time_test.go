package event

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// timed returns an event of this package's tests with another time.
func timed(raw, at string) string { return strings.Replace(raw, "2026-01-22T10:15:30Z", at, 1) }

// TestTimes checks the times that an event of each kind may have. The year 1500 does
// not fit the nanoseconds of an int64: as a key of order it would be in the year 2084.
func TestTimes(t *testing.T) {
	t.Parallel()
	const tooOld = "before 2015: no event is that old, and events are ordered by time (check the sender's clock)"
	const order = "because events are ordered by time (check the sender's clock)"
	hook, err := os.ReadFile("../../events/ecs-hook-awaiting-action.json")
	if err != nil {
		t.Fatal(err)
	}
	deploy := deployment("action.production", `{"service":"backend","tag":"a"}`)
	rollback := deployment("action.production", `{"service":"backend","action":"rollback"}`)
	const service = "myproject_cluster_prod/myproject_service_web-api_prod"
	kinds := []struct {
		name, env, raw string
		good           Verdict
		ahead          time.Duration
		prefix         string // of the reason
		rejects        bool   // a person or a workflow sent it
	}{
		{"DEPLOY", "prod", deploy, Accepted, maxAhead, "the DEPLOY is malformed: ", true},
		{"rollback", "prod", rollback, Accepted, maxAhead, "the DEPLOY is malformed: ", true},
		{"push", "dev", pushed("111111111111", "us-east-1", fmt.Sprintf(push, "myproject_backend", "latest")), Accepted,
			maxAhead, "the ECR event is malformed: ", false},
		{"replication", "dev", replicated("111111111111", "us-east-1",
			fmt.Sprintf(replication, "myproject_backend", "latest")), Accepted, maxAhead,
			"the ECR event is malformed: ", false},
		{"rollout", "prod", rolled(change, "333333333333", service, `{"eventName":"SERVICE_DEPLOYMENT_COMPLETED",`+
			`"deploymentId":"ecs-svc/1"}`), Followed, maxAheadOfAWS,
			"the ECS event is not as AWS documents it: ", false},
		{"impaired tasks", "prod", rolled(action, "333333333333", service,
			`{"eventName":"SERVICE_TASK_START_IMPAIRED"}`), Followed, maxAheadOfAWS,
			"the ECS event is not as AWS documents it: ", false},
		{"hook", "prod", string(hook), Followed, maxAheadOfAWS, "the ECS hook event is malformed: ", false},
		{"schedule", "dev", `{"id":"s1","source":"aws.events","detail-type":"Scheduled Event","detail":{},` +
			`"time":"2026-01-22T10:15:30Z"}`, Due, maxAheadOfAWS,
			"the scheduled event is not as AWS documents it: ", false},
	}
	for _, kind := range kinds {
		limit := now.Add(kind.ahead)
		for _, tt := range []struct{ at, want string }{ // want is the problem; "" if there is none
			{"2015-01-01T00:00:00Z", ""},
			{"2026-01-22T10:15:30.999999999+02:00", ""},
			{limit.Format(time.RFC3339), ""},
			{"2014-12-31T23:59:59Z", `"time" is 2014-12-31T23:59:59Z, ` + tooOld},
			{"1970-01-01T00:00:00Z", `"time" is 1970-01-01T00:00:00Z, ` + tooOld},
			{"1500-06-01T12:00:00Z", `"time" is 1500-06-01T12:00:00Z, ` + tooOld},
			{"0001-01-01T00:00:00Z", `"time" is 0001-01-01T00:00:00Z, ` + tooOld},
			{"0000-01-01T00:00:00Z", `"time" is 0000-01-01T00:00:00Z, ` + tooOld},
			{limit.Add(time.Second).Format(time.RFC3339), fmt.Sprintf(
				`"time" is %s, %s ahead of now; at most %s is accepted, `+order,
				limit.Add(time.Second).Format(time.RFC3339), kind.ahead+time.Second, kind.ahead)},
			{"9999-12-31T23:59:59Z", fmt.Sprintf(
				`"time" is 9999-12-31T23:59:59Z, 2912421 days ahead of now; at most %s is accepted, `+order,
				kind.ahead)},
		} {
			t.Run(kind.name+" "+tt.at, func(t *testing.T) {
				t.Parallel()
				got := Read([]byte(timed(kind.raw, tt.at)), load(t, kind.env), now)
				want, reason := kind.good, got.Reason
				if tt.want != "" {
					want, reason = Ignored, kind.prefix+tt.want
				}
				if tt.want != "" && kind.rejects {
					want = Rejected
				}
				if got.Verdict != want || got.Reason != reason || got.Unexpected != (want == Ignored) {
					t.Errorf("%s, unexpected %v: %s\nwant %s: %s", got.Verdict, got.Unexpected, got.Reason, want,
						reason)
				}
				if want == Rejected && (!got.At.IsZero() || !got.Claims.Cause.Time.IsZero()) && tt.at < "2026" {
					t.Errorf("the rejection reports the time %s", got.At)
				}
			})
		}
	}
}
