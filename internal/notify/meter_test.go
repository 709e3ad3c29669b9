package notify

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/outcome"
)

// TestMeter compares every line exactly.
func TestMeter(t *testing.T) {
	t.Parallel()
	const (
		both  = `[["Project","Environment","Service","Outcome"],["Project","Environment","Outcome"]]`
		count = `{"Name":"Deployments","Unit":"Count"}`
		took  = `,{"Name":"RolloutSeconds","Unit":"Seconds"}`
		ids   = `"deployment_id":"ecs-svc/1234567890123456789","event_id":"7bf73129-1428-4cd3-a780-2b9e0c5d80e3"}` + "\n"
	)
	head := func(dimensions, metrics string) string {
		return `"_aws":{"CloudWatchMetrics":[{"Dimensions":` + dimensions + `,"Metrics":[` + metrics + `],"Namespace":"Deployer"}],"Timestamp":1769076930500}`
	}
	all := outcomes(t)
	asked := all["started"].Cause.Time
	for name, o := range all { // the events do not have these
		o.Accepted, o.Time = asked.Add(2*time.Second), asked.Add(92*time.Second+123*time.Millisecond)
		all[name] = o
	}
	started := func(accepted time.Duration) outcome.Outcome {
		o := all["started"]
		o.Accepted = asked.Add(accepted)
		return o
	}
	countStarted := `{"Deployments":1,"Environment":"prod","Outcome":"Started","Project":"myproject","Service":"backend",` + head(both, count) + `,` + ids
	accepted := func(seconds string) string {
		return `{"Environment":"prod","EventToAcceptedSeconds":` + seconds + `,"Project":"myproject","Service":"backend",` +
			head(`[["Project","Environment","Service"],["Project","Environment"]]`, `{"Name":"EventToAcceptedSeconds","Unit":"Seconds"}`) + "}\n"
	}
	for _, tt := range []struct {
		name  string
		write func(*meter)
		want  string
	}{
		{"started", func(m *meter) { m.outcome(started(1234 * time.Millisecond)) }, countStarted + accepted("1.234")},
		{"accepted before it was sent", func(m *meter) { m.outcome(started(-time.Second)) }, countStarted + accepted("0")},
		{"succeeded", func(m *meter) { m.outcome(all["succeeded"]) },
			`{"Deployments":1,"Environment":"prod","Outcome":"Succeeded","Project":"myproject","RolloutSeconds":90.123,"Service":"backend",` + head(both, count+took) + `,` + ids},
		{"failed", func(m *meter) { m.outcome(all["failed"]) },
			`{"Deployments":1,"Environment":"prod","Outcome":"Failed","Project":"myproject","RolloutSeconds":90.123,"Service":"backend",` + head(both, count+took) + `,` + ids},
		{"superseded", func(m *meter) { m.outcome(all["superseded"]) },
			`{"Deployments":1,"Environment":"prod","Outcome":"Superseded","Project":"myproject","Service":"backend",` + head(both, count) + `,` + ids},
		{"rejected", func(m *meter) { m.outcome(all["rejected"]) },
			`{"Environment":"prod","Project":"myproject","Rejected":1,` + head(`[["Project","Environment"]]`, `{"Name":"Rejected","Unit":"Count"}`) + `,"event_id":"7bf73129-1428-4cd3-a780-2b9e0c5d8bd5"}` + "\n"},
		{"foreign", func(m *meter) { m.outcome(all["foreign"]) }, ""},
		{"ignored", (*meter).ignored,
			`{"Environment":"prod","Ignored":1,"Project":"myproject",` + head(`[["Project","Environment"]]`, `{"Name":"Ignored","Unit":"Count"}`) + "}\n"},
		{"reconciled", (*meter).reconciled,
			`{"Environment":"prod","Project":"myproject","Reconciled":1,` + head(`[["Project","Environment"]]`, `{"Name":"Reconciled","Unit":"Count"}`) + "}\n"},
	} {
		var b bytes.Buffer
		m := newMeter(&b, "myproject", "prod")
		m.now = func() time.Time { return asked.Add(500 * time.Millisecond) }
		tt.write(m)
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
