package outcome

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMeter holds every line to the letter.
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
	all := samples(t)
	for _, tt := range []struct {
		name string
		of   func(*Meter)
		want string
	}{
		{"started", func(m *Meter) { m.Outcome(all["started"]) },
			`{"Deployments":1,"Environment":"prod","Outcome":"Started","Project":"myproject","Service":"backend",` + head(both, count) + `,` + ids},
		{"succeeded", func(m *Meter) { m.Outcome(all["succeeded"]) },
			`{"Deployments":1,"Environment":"prod","Outcome":"Succeeded","Project":"myproject","RolloutSeconds":90.123,"Service":"backend",` + head(both, count+took) + `,` + ids},
		{"failed", func(m *Meter) { m.Outcome(all["failed"]) },
			`{"Deployments":1,"Environment":"prod","Outcome":"Failed","Project":"myproject","RolloutSeconds":90.123,"Service":"backend",` + head(both, count+took) + `,` + ids},
		{"superseded", func(m *Meter) { m.Outcome(all["superseded"]) },
			`{"Deployments":1,"Environment":"prod","Outcome":"Superseded","Project":"myproject","Service":"backend",` + head(both, count) + `,` + ids},
		{"rejected", func(m *Meter) { m.Outcome(all["rejected"]) },
			`{"Environment":"prod","Project":"myproject","Rejected":1,` + head(`[["Project","Environment"]]`, `{"Name":"Rejected","Unit":"Count"}`) + `,"event_id":"7bf73129-1428-4cd3-a780-2b9e0c5d8bd5"}` + "\n"},
		{"foreign", func(m *Meter) { m.Outcome(all["foreign"]) }, ""},
		{"none ignored", func(m *Meter) { m.Ignored(0) }, ""},
		{"ignored", func(m *Meter) { m.Ignored(2) },
			`{"Environment":"prod","Ignored":2,"Project":"myproject",` + head(`[["Project","Environment"]]`, `{"Name":"Ignored","Unit":"Count"}`) + "}\n"},
		{"accepted", func(m *Meter) { m.Accepted("backend", 1234*time.Millisecond) },
			`{"Environment":"prod","EventToAcceptedSeconds":1.234,"Project":"myproject","Service":"backend",` +
				head(`[["Project","Environment","Service"],["Project","Environment"]]`, `{"Name":"EventToAcceptedSeconds","Unit":"Seconds"}`) + "}\n"},
		{"accepted before it was sent", func(m *Meter) { m.Accepted("backend", -time.Second) },
			`{"Environment":"prod","EventToAcceptedSeconds":0,"Project":"myproject","Service":"backend",` +
				head(`[["Project","Environment","Service"],["Project","Environment"]]`, `{"Name":"EventToAcceptedSeconds","Unit":"Seconds"}`) + "}\n"},
	} {
		var b bytes.Buffer
		m := NewMeter(&b, "myproject", "prod")
		m.now = func() time.Time { return asked.Add(500 * time.Millisecond) }
		tt.of(m)
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
