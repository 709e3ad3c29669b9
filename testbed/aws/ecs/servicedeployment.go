package ecs

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"deployer/testbed/aws/api"
)

// The states of service deployments.
const (
	successful         = "SUCCESSFUL"
	stopped            = "STOPPED"
	stopRequested      = "STOP_REQUESTED"
	rollbackRequested  = "ROLLBACK_REQUESTED"
	rollbackInProgress = "ROLLBACK_IN_PROGRESS"
	rollbackSuccessful = "ROLLBACK_SUCCESSFUL"
	rollbackFailed     = "ROLLBACK_FAILED"
)

// A serviceDeployment is the record of one change of a service, from its beginning to
// its end. Where a deployment is rolled back, the deployment that does it is part of the
// same record. In AWS it begins PENDING, for some tenths of a second; here it does not.
type serviceDeployment struct {
	*service
	id            string
	target        *deployment   // what is deployed
	sources       []*deployment // what ran when it began
	rollback      *deployment   // nil while nothing is rolled back
	status        string
	reason        string
	text          json.RawMessage // of the configuration
	configuration deploymentConfiguration
	hooks         []*hook
	created       time.Time
	updated       time.Time
	finished      time.Time
	stopped       time.Time
}

// keepRecord makes the service deployment that a deployment begins. One that is still
// under way is superseded.
func (e *Server) keepRecord(s *service, d *deployment, at time.Time) {
	for _, earlier := range s.history {
		if !earlier.over() {
			earlier.status, earlier.updated = stopRequested, at
		}
	}
	d.record = &serviceDeployment{
		service: s, id: e.backend.NewToken()[:21], target: d, status: string(inProgress),
		text: s.fields["deploymentConfiguration"], configuration: s.configuration(), created: at, updated: at,
	}
	for _, old := range s.deployments[1:] {
		if old.running > 0 {
			d.record.sources = append(d.record.sources, old)
		}
	}
	s.history = slices.Insert(s.history, 0, d.record)
}

// newToken returns a new text of 43 characters that URLs may have.
func (e *Server) newToken() string {
	b := e.backend.NewID()
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (d *serviceDeployment) arn() string {
	return d.arnOf("service-deployment/" + d.cluster + "/" + d.name + "/" + d.id)
}

func (s *service) revisionARN(number string) string {
	return s.arnOf("service-revision/" + s.cluster + "/" + s.name + "/" + number)
}

// over reports whether nothing more will happen to the service deployment.
func (d *serviceDeployment) over() bool {
	return slices.Contains([]string{successful, stopped, rollbackSuccessful, rollbackFailed}, d.status)
}

// current is the deployment of the record that is the service's now.
func (d *serviceDeployment) current() *deployment {
	if d.rollback != nil {
		return d.rollback
	}
	return d.target
}

// end ends the service deployment, unless another one has taken its place.
func (d *serviceDeployment) end(status string, at time.Time) {
	if d.status == stopRequested {
		return
	}
	d.status, d.finished, d.updated = status, at, at
	if status == stopped {
		d.stopped = at
	}
}

// stop stops a service deployment that another one has taken the place of, a step after
// it was asked to. AWS takes some tenths of a second.
func (d *serviceDeployment) stop(now time.Time, step time.Duration) {
	if at := d.updated.Add(step); d.status == stopRequested && !at.After(now) {
		d.status, d.updated, d.finished, d.stopped = stopped, at, at, at
	}
}

// rollsBack notes that the tasks of a rollback have started.
func (d *serviceDeployment) rollsBack() {
	if d.status == rollbackRequested {
		d.status = rollbackInProgress
	}
}

func (d *serviceDeployment) brief() api.Object {
	o := api.Object{
		"serviceDeploymentArn":     d.arn(),
		"serviceArn":               d.service.arn(),
		"clusterArn":               clusterARN(d.scope, d.cluster),
		"createdAt":                api.Timestamp(d.created),
		"startedAt":                api.Timestamp(d.created),
		"targetServiceRevisionArn": d.revisionARN(d.target.revision),
		"status":                   d.status,
	}
	if d.reason != "" {
		o["statusReason"] = d.reason
	}
	if !d.finished.IsZero() {
		o["finishedAt"] = api.Timestamp(d.finished)
	}
	return o
}

func (d *serviceDeployment) describe() api.Object {
	o := d.brief()
	delete(o, "targetServiceRevisionArn")
	updated := d.updated
	if current := d.current(); current.updated.After(updated) {
		updated = current.updated
	}
	o["updatedAt"] = api.Timestamp(updated)
	o["targetServiceRevision"] = d.summary(d.target)
	sources := []api.Object{}
	for _, source := range d.sources {
		sources = append(sources, d.summary(source))
	}
	o["sourceServiceRevisions"] = sources
	o["deploymentConfiguration"] = d.text
	o["deploymentCircuitBreaker"] = d.describeBreaker()
	if !d.stopped.IsZero() {
		o["stoppedAt"] = api.Timestamp(d.stopped)
	}
	if d.rollback != nil {
		o["rollback"] = api.Object{"reason": d.reason, "startedAt": api.Timestamp(d.rollback.created),
			"serviceRevisionArn": d.revisionARN(d.rollback.revision)}
	}
	if current := d.current(); d.configuration.shifts() && current.stage < len(stages) && !d.over() {
		o["lifecycleStage"] = stages[current.stage]
	}
	if len(d.hooks) > 0 {
		hooks := []api.Object{}
		for _, h := range d.hooks {
			hooks = append(hooks, h.describe())
		}
		o["lifecycleHookDetails"] = hooks
	}
	return o
}

func (d *serviceDeployment) describeBreaker() api.Object {
	status := "MONITORING"
	switch {
	case !d.configuration.Breaker.Enable:
		status = "DISABLED"
	case d.target.failedTasks >= d.target.threshold():
		status = "TRIGGERED"
	case d.over():
		status = "MONITORING_COMPLETE"
	}
	return api.Object{"status": status, "failureCount": d.target.failedTasks, "threshold": d.target.threshold()}
}

// summary is a deployment as one of the service's revisions.
func (s *service) summary(d *deployment) api.Object {
	return api.Object{
		"arn": s.revisionARN(d.revision), "requestedTaskCount": d.desired, "runningTaskCount": d.running,
		"pendingTaskCount": d.pending,
	}
}
