package notify

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"strings"
	"sync"
	"time"

	"deployer/internal/outcome"
)

// Namespace is the CloudWatch namespace of the metrics.
const Namespace = "Deployer"

// meter writes metrics into the log as lines of CloudWatch's embedded metric
// format, from which CloudWatch extracts the metrics without a call. See
// "Specification: Embedded metric format" in the CloudWatch user guide. A line
// that cannot be written is lost: metrics never fail a deployment.
type meter struct {
	project, environment string
	now                  func() time.Time

	mu sync.Mutex // held while a line is written
	w  io.Writer
}

// newMeter returns the meter of an environment that writes to w: in Lambda,
// standard output.
func newMeter(w io.Writer, project, environment string) *meter {
	return &meter{project: project, environment: environment, now: time.Now, w: w}
}

// outcome counts an outcome: a rejection as Rejected, any other but that of a task's first
// run as a deployment of its service, with the duration of the rollout where that is known. Foreign
// deployments are not counted, unless they are impaired.
func (m *meter) outcome(o outcome.Outcome) {
	members := map[string]any{"event_id": o.Cause.ID, "deployment_id": o.DeploymentID}
	switch {
	case o.Kind == outcome.FirstRunSucceeded, o.Kind == outcome.FirstRunFailed:
		return // no deployment
	case o.Foreign && o.Kind != outcome.DeploymentImpaired: // which the alarm goes off for
		return
	case o.Kind == outcome.DeploymentRejected:
		// Without the service: senders may name services that do not exist, and each
		// new name would be a new metric, which costs money.
		m.write(members, dimensions{{}}, metric{"Rejected", "Count", 1})
		return
	}
	members["Service"], members["Outcome"] = o.Service, strings.TrimPrefix(string(o.Kind), "Deployment ")
	metrics := []metric{{"Deployments", "Count", 1}}
	if !o.Accepted.IsZero() && (o.Kind == outcome.DeploymentSucceeded || o.Kind == outcome.DeploymentFailed) {
		metrics = append(metrics, metric{"RolloutSeconds", "Seconds", seconds(o.Time.Sub(o.Accepted))})
	}
	m.write(members, dimensions{{"Service", "Outcome"}, {"Outcome"}}, metrics...)
	if o.Kind == outcome.DeploymentStarted && !o.Accepted.IsZero() && !o.Cause.Time.IsZero() {
		m.write(map[string]any{"Service": o.Service}, dimensions{{"Service"}, {}},
			metric{"EventToAcceptedSeconds", "Seconds", seconds(o.Accepted.Sub(o.Cause.Time))})
	}
}

// ignored counts an event that is not for the environment.
func (m *meter) ignored() { m.write(nil, dimensions{{}}, metric{"Ignored", "Count", 1}) }

// reconciled counts a search for pushes whose events were lost, and the
// repositories that could not be searched.
func (m *meter) reconciled(denied int) {
	metrics := []metric{{"Reconciled", "Count", 1}}
	if denied > 0 {
		metrics = append(metrics, metric{"ReconcileDenied", "Count", float64(denied)})
	}
	m.write(nil, dimensions{{}}, metrics...)
}

// metric is one value. Its unit is as CloudWatch spells it.
type metric struct {
	name, unit string
	value      float64
}

// dimensions are the sets of dimensions under which metrics are stored, each in
// addition to project and environment.
type dimensions [][]string

// write writes one line with metrics. Its members are the values of dimensions,
// and fields to search the log for.
func (m *meter) write(members map[string]any, by dimensions, metrics ...metric) {
	line := map[string]any{"Project": m.project, "Environment": m.environment}
	maps.Copy(line, members)
	maps.DeleteFunc(line, func(_ string, v any) bool { return v == "" })
	var definitions []any
	for _, one := range metrics {
		line[one.name] = one.value
		definitions = append(definitions, map[string]any{"Name": one.name, "Unit": one.unit})
	}
	var sets dimensions
	for _, set := range by {
		sets = append(sets, append([]string{"Project", "Environment"}, set...))
	}
	line["_aws"] = map[string]any{
		"Timestamp":         m.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{"Namespace": Namespace, "Dimensions": sets, "Metrics": definitions}},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(line) != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(b.Bytes())
}

// seconds returns a duration in seconds, to the millisecond. It is 0 for an event
// whose time is slightly ahead of this clock.
func seconds(d time.Duration) float64 {
	return float64(max(0, d).Milliseconds()) / 1000
}
