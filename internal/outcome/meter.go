package outcome

import (
	"io"
	"maps"
	"strings"
	"sync"
	"time"
)

// Namespace is the namespace of the metrics in CloudWatch.
const Namespace = "Deployer"

// Meter writes metrics into the log as lines of CloudWatch's embedded metric
// format, of which CloudWatch makes metrics without being called. See
// "Specification: Embedded metric format" in the CloudWatch user guide. A line
// that cannot be written is lost: no deployment fails over how it is counted.
type Meter struct {
	project, environment string
	now                  func() time.Time

	mu sync.Mutex // a line is written whole
	w  io.Writer
}

// NewMeter returns the meter of an environment that writes to w: in Lambda,
// its standard output.
func NewMeter(w io.Writer, project, environment string) *Meter {
	return &Meter{project: project, environment: environment, now: time.Now, w: w}
}

// Outcome counts an outcome: a rejection as such, any other as a deployment of
// its service, with the time of the rollout if that is known. What somebody
// else deployed is not counted.
func (m *Meter) Outcome(o Outcome) {
	about := map[string]any{"event_id": o.Cause.ID, "deployment_id": o.DeploymentID}
	switch {
	case o.Foreign:
	case o.Kind == DeploymentRejected:
		// Without the service: its name may be the sender's invention, and each
		// new one would be a new metric, which costs.
		m.write(about, sets{{}}, metric{"Rejected", "Count", 1})
	default:
		about["Service"], about["Outcome"] = o.Service, strings.TrimPrefix(string(o.Kind), "Deployment ")
		metrics := []metric{{"Deployments", "Count", 1}}
		if !o.Accepted.IsZero() && (o.Kind == DeploymentSucceeded || o.Kind == DeploymentFailed) {
			metrics = append(metrics, metric{"RolloutSeconds", "Seconds", seconds(o.Time.Sub(o.Accepted))})
		}
		m.write(about, sets{{"Service", "Outcome"}, {"Outcome"}}, metrics...)
	}
}

// Ignored counts events that were not for the environment.
func (m *Meter) Ignored(n int) {
	if n > 0 {
		m.write(nil, sets{{}}, metric{"Ignored", "Count", float64(n)})
	}
}

// Reconciled counts a look for pushes whose events were lost.
func (m *Meter) Reconciled() { m.write(nil, sets{{}}, metric{"Reconciled", "Count", 1}) }

// Accepted counts the time from an event to ECS's acceptance of its deployment.
func (m *Meter) Accepted(service string, after time.Duration) {
	m.write(map[string]any{"Service": service}, sets{{"Service"}, {}}, metric{"EventToAcceptedSeconds", "Seconds", seconds(after)})
}

// metric is one value; its unit is as CloudWatch spells it.
type metric struct {
	name, unit string
	value      float64
}

// sets are the sets of dimensions that metrics are kept under, beside project
// and environment.
type sets [][]string

// write writes one line with metrics, and with members that are dimensions, or
// only there to be found.
func (m *Meter) write(members map[string]any, by sets, metrics ...metric) {
	line := map[string]any{"Project": m.project, "Environment": m.environment}
	maps.Copy(line, members)
	maps.DeleteFunc(line, func(_ string, v any) bool { return v == "" })
	var definitions []any
	for _, one := range metrics {
		line[one.name] = one.value
		definitions = append(definitions, map[string]any{"Name": one.name, "Unit": one.unit})
	}
	for i, set := range by {
		by[i] = append([]string{"Project", "Environment"}, set...)
	}
	line["_aws"] = map[string]any{
		"Timestamp":         m.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{"Namespace": Namespace, "Dimensions": by, "Metrics": definitions}},
	}
	text := append(marshal(line), '\n')
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(text)
}

// seconds returns a duration in seconds to the millisecond; an event may bear a
// time that is a little ahead, which is none.
func seconds(d time.Duration) float64 {
	return float64(max(0, d).Milliseconds()) / 1000
}
