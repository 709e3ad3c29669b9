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
		env       = `["Project","Environment"]`
		byService = `["Project","Environment","Service"]`
		byBoth    = `[["Project","Environment","Service","Outcome"],["Project","Environment","Outcome"]]`
		count     = `{"Name":"Deployments","Unit":"Count"}`
		took      = count + `,{"Name":"RolloutSeconds","Unit":"Seconds"}`
		accepted  = `{"Name":"EventToAcceptedSeconds","Unit":"Seconds"}`
		project   = `"Environment":"prod",`
		service   = `"Project":"myproject","Service":"backend",`
		ids       = `,"deployment_id":"ecs-svc/1234567890123456789",` +
			`"event_id":"7bf73129-1428-4cd3-a780-2b9e0c5d80e3"}` + "\n"
		rollout   = `"RolloutSeconds":90.123,`
		noService = "}\n"
	)
	definition := func(dimensions, metrics string) string {
		return `"_aws":{"CloudWatchMetrics":[{"Dimensions":` + dimensions + `,"Metrics":[` + metrics +
			`],"Namespace":"Deployer"}],"Timestamp":1769076930500}`
	}
	counted := func(outcome, rolloutSeconds, metrics string) string {
		return `{"Deployments":1,` + project + `"Outcome":"` + outcome + `","Project":"myproject",` + rolloutSeconds +
			`"Service":"backend",` + definition(byBoth, metrics) + ids
	}
	timed := func(seconds string) string {
		return `{` + project + `"EventToAcceptedSeconds":` + seconds + `,` + service +
			definition(`[`+byService+`,`+env+`]`, accepted) + noService
	}
	all := outcomes(t)
	asked := all["started"].Cause.Time
	for name, o := range all { // their events do not have these
		o.Accepted, o.Time = asked.Add(2*time.Second), asked.Add(92*time.Second+123*time.Millisecond)
		all[name] = o
	}
	started := func(accepted time.Duration) outcome.Outcome {
		o := all["started"]
		o.Accepted = asked.Add(accepted)
		return o
	}
	for _, tt := range []struct {
		name  string
		write func(*meter)
		want  string
	}{
		{"started", func(m *meter) { m.outcome(started(1234 * time.Millisecond)) },
			counted("Started", "", count) + timed("1.234")},
		{"accepted before it was sent", func(m *meter) { m.outcome(started(-time.Second)) },
			counted("Started", "", count) + timed("0")},
		{"succeeded", func(m *meter) { m.outcome(all["succeeded"]) }, counted("Succeeded", rollout, took)},
		{"failed", func(m *meter) { m.outcome(all["failed"]) }, counted("Failed", rollout, took)},
		{"superseded", func(m *meter) { m.outcome(all["superseded"]) }, counted("Superseded", "", count)},
		{"rejected", func(m *meter) { m.outcome(all["rejected"]) },
			`{` + project + `"Project":"myproject","Rejected":1,` + definition(`[`+env+`]`,
				`{"Name":"Rejected","Unit":"Count"}`) +
				`,"event_id":"7bf73129-1428-4cd3-a780-2b9e0c5d8bd5"}` + "\n"},
		{"foreign", func(m *meter) { m.outcome(all["foreign"]) }, ""},
		{"foreign and impaired", func(m *meter) {
			o := all["superseded"]
			o.Kind, o.Foreign = outcome.DeploymentImpaired, true
			m.outcome(o)
		}, counted("Impaired", "", count)},
		{"ignored", (*meter).ignored,
			`{` + project + `"Ignored":1,"Project":"myproject",` + definition(`[`+env+`]`,
				`{"Name":"Ignored","Unit":"Count"}`) + noService},
		{"reconciled, one repository denied", func(m *meter) { m.reconciled(1) },
			`{` + project + `"Project":"myproject","ReconcileDenied":1,"Reconciled":1,` + definition(`[`+env+`]`,
				`{"Name":"Reconciled","Unit":"Count"},{"Name":"ReconcileDenied","Unit":"Count"}`) + noService},
		{"reconciled", func(m *meter) { m.reconciled(0) },
			`{` + project + `"Project":"myproject","Reconciled":1,` + definition(`[`+env+`]`,
				`{"Name":"Reconciled","Unit":"Count"}`) + noService},
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
