package ecs

import (
	"encoding/json"
	"slices"
	"time"

	"deployer/testbed/aws/api"
)

// The statuses of service deployments (ECS API reference, "ServiceDeployment").
const (
	successful         = "SUCCESSFUL"
	stopped            = "STOPPED"
	stopRequested      = "STOP_REQUESTED"
	rollbackRequested  = "ROLLBACK_REQUESTED"
	rollbackInProgress = "ROLLBACK_IN_PROGRESS"
	rollbackSuccessful = "ROLLBACK_SUCCESSFUL"
	rollbackFailed     = "ROLLBACK_FAILED"
)

// A serviceDeployment is one change of a service. The deployment that rolls it back is part of it. In AWS it is PENDING
// for some tenths of a second at first; here it is not.
type serviceDeployment struct {
	service       *service
	id            string
	target        *deployment   // the deployment of the change
	sources       []*deployment // the deployments that had running tasks when it started
	rollback      *deployment   // nil unless it is rolled back
	status        string
	reason        string
	text          json.RawMessage // of the deployment configuration
	configuration deploymentConfiguration
	hooks         []*hook
	created       time.Time
	updated       time.Time
	finished      time.Time
	stopped       time.Time
}

// addServiceDeployment adds the service deployment of a deployment. It requests those in progress to stop.
func (e *Server) addServiceDeployment(s *service, d *deployment, at time.Time) {
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

func (d *serviceDeployment) arn() string {
	return d.service.arnOf("service-deployment/" + d.service.cluster + "/" + d.service.name + "/" + d.id)
}

func (s *service) revisionARN(number string) string {
	return s.arnOf("service-revision/" + s.cluster + "/" + s.name + "/" + number)
}

// over reports whether the service deployment ended.
func (d *serviceDeployment) over() bool {
	return slices.Contains([]string{successful, stopped, rollbackSuccessful, rollbackFailed}, d.status)
}

// current returns the rollback if there is one, otherwise the deployment of the change.
func (d *serviceDeployment) current() *deployment {
	if d.rollback != nil {
		return d.rollback
	}
	return d.target
}

// end ends the service deployment, unless it was superseded.
func (d *serviceDeployment) end(status string, at time.Time) {
	if d.status == stopRequested {
		return
	}
	d.status, d.finished, d.updated = status, at, at
	if status == stopped {
		d.stopped = at
	}
}

// stop stops a superseded service deployment one step after it was requested to stop. AWS takes some tenths of a
// second.
func (d *serviceDeployment) stop(now time.Time, step time.Duration) {
	at := d.updated.Add(step)
	if d.status == stopRequested && !at.After(now) {
		d.status, d.updated, d.finished, d.stopped = stopped, at, at, at
	}
}

// startRollback sets the status of a rollback whose tasks started.
func (d *serviceDeployment) startRollback() {
	if d.status == rollbackRequested {
		d.status = rollbackInProgress
	}
}

func (d *serviceDeployment) brief() api.Object {
	o := api.Object{
		"serviceDeploymentArn":     d.arn(),
		"serviceArn":               d.service.arn(),
		"clusterArn":               clusterARN(d.service.scope, d.service.cluster),
		"createdAt":                api.Timestamp(d.created),
		"startedAt":                api.Timestamp(d.created),
		"targetServiceRevisionArn": d.service.revisionARN(d.target.revision),
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
	current, updated := d.current(), d.updated
	if current.updated.After(updated) {
		updated = current.updated
	}
	o["updatedAt"] = api.Timestamp(updated)
	o["targetServiceRevision"] = d.service.summary(d.target)
	sources := []api.Object{}
	for _, source := range d.sources {
		sources = append(sources, d.service.summary(source))
	}
	o["sourceServiceRevisions"] = sources
	if d.configuration.shifts() { // of the sources, the newest had all traffic
		o["targetServiceRevision"].(api.Object)["requestedProductionTrafficWeight"] = d.target.weight
		for i, source := range sources {
			source["requestedProductionTrafficWeight"] = 0.0
			if i == 0 {
				source["requestedProductionTrafficWeight"] = 100 - d.target.weight
			}
		}
	}
	o["deploymentConfiguration"] = d.text
	o["deploymentCircuitBreaker"] = d.describeBreaker()
	if !d.stopped.IsZero() {
		o["stoppedAt"] = api.Timestamp(d.stopped)
	}
	if d.rollback != nil {
		o["rollback"] = api.Object{"reason": d.reason, "startedAt": api.Timestamp(d.rollback.created),
			"serviceRevisionArn": d.service.revisionARN(d.rollback.revision)}
	}
	if d.configuration.shifts() && current.stage < len(stages) && !d.over() {
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
	case d.target.failedTasks >= Threshold(d.target.desired):
		status = "TRIGGERED"
	case d.over():
		status = "MONITORING_COMPLETE"
	}
	return api.Object{"status": status, "failureCount": d.target.failedTasks, "threshold": Threshold(d.target.desired)}
}

// summary returns a deployment as a service revision summary.
func (s *service) summary(d *deployment) api.Object {
	return api.Object{
		"arn": s.revisionARN(d.revision), "requestedTaskCount": d.desired, "runningTaskCount": d.running,
		"pendingTaskCount": d.pending,
	}
}
