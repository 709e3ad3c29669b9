package emulator

import (
	"encoding/json"
	"time"
)

// A serviceRequest is what the emulator itself reads of CreateService and UpdateService.
type serviceRequest struct {
	Cluster        string  `json:"cluster"`
	Service        string  `json:"service"`     // UpdateService and DeleteService
	Name           string  `json:"serviceName"` // CreateService
	TaskDefinition *string `json:"taskDefinition"`
	DesiredCount   *int    `json:"desiredCount"`
	Force          bool    `json:"forceNewDeployment"`
	LaunchType     string  `json:"launchType"`
	Controller     struct {
		Type string `json:"type"`
	} `json:"deploymentController"`
	Network       *struct{}               `json:"networkConfiguration"`
	Configuration deploymentConfiguration `json:"deploymentConfiguration"`
	Tags          []tag                   `json:"tags"`
}

// authorizeService asks for leave for the request's action on a service.
func (e *Emulator) authorizeService(r *request, cluster, name string, more map[string]string) *Error {
	context := map[string]string{"ecs:cluster": r.key().clusterARN(cluster)}
	for key, value := range more {
		context[key] = value
	}
	return e.authorize(r, access{action: r.name(), resource: r.key().serviceARN(cluster, name), context: context})
}

// taskDefinitionContext is the condition key of the task definition that is sent.
func (e *Emulator) taskDefinitionContext(r *request, reference *string) map[string]string {
	if reference == nil {
		return nil
	}
	if t := e.referredTaskDefinition(r.key(), *reference); t != nil {
		return map[string]string{"ecs:task-definition": t.arn()}
	}
	return nil
}

func (e *Emulator) createService(r *request, in serviceRequest) (any, *Error) {
	if in.Controller.Type == "" {
		in.Controller.Type = controllerECS
	}
	if err := in.checkCreation(); err != nil {
		return nil, err
	}
	cluster, err := r.clusterName(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := e.authorizeService(r, cluster, in.Name, addRequestTags(e.taskDefinitionContext(r, in.TaskDefinition), in.Tags)); err != nil {
		return nil, err
	}
	if err := e.authorizeTagging(r, r.key().serviceARN(cluster, in.Name), in.Tags); err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	if old, ok := c.services[in.Name]; ok && old.status == statusActive {
		return nil, errInvalidParameter("Creation of service was not idempotent.")
	}
	s, err := e.newService(r, in, cluster)
	if err != nil {
		return nil, err
	}
	c.services[s.name] = s
	if s.controller == controllerECS {
		e.startDeployment(s, r.now)
	}
	return object{"service": s.describe(true)}, nil
}

func (in serviceRequest) checkCreation() *Error {
	switch {
	case !serviceNameForm.MatchString(in.Name):
		return errInvalidParameter("Invalid service name: %s", in.Name)
	case in.Controller.Type != controllerECS && in.Controller.Type != controllerCodeDeploy && in.Controller.Type != controllerExternal:
		return errInvalidParameter("Unknown deployment controller type: %s", in.Controller.Type)
	case in.TaskDefinition == nil && in.Controller.Type != controllerExternal:
		return errInvalidParameter("TaskDefinition can not be blank.")
	case in.DesiredCount != nil && *in.DesiredCount < 0:
		return errInvalidParameter("desiredCount must be greater than or equal to 0.")
	case in.Tags != nil && len(in.Tags) == 0:
		return errInvalidParameter("Tags can not be empty.")
	}
	if err := in.Configuration.check(); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

// newService makes the service of a request.
func (e *Emulator) newService(r *request, in serviceRequest, cluster string) (*service, *Error) {
	s := &service{
		scopeKey: r.key(), cluster: cluster, name: in.Name,
		fields: map[string]json.RawMessage{}, controller: in.Controller.Type,
		status: statusActive, created: r.now, createdBy: r.principal(), tags: in.Tags,
	}
	if in.DesiredCount != nil {
		s.desired = *in.DesiredCount
	}
	if in.TaskDefinition != nil {
		t, err := e.deployable(r.key(), *in.TaskDefinition)
		if err != nil {
			return nil, err
		}
		if t.awsvpc && in.Network == nil {
			return nil, errInvalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
		}
		s.taskDefinition = t.arn()
	}
	if _, err := s.setFields(r); err != nil {
		return nil, err
	}
	if _, strategy := s.fields["capacityProviderStrategy"]; !strategy {
		addMissing(s.fields, "launchType", `"EC2"`)
	}
	if in.LaunchType == "FARGATE" {
		addMissing(s.fields, "platformVersion", `"LATEST"`)
	}
	for name, value := range serviceFields {
		if value != "" {
			addMissing(s.fields, name, value)
		}
	}
	return s, nil
}

// openService is findService for what only a service that is ACTIVE allows.
func (e *Emulator) openService(r *request, clusterReference, serviceReference string, more map[string]string) (*service, *Error) {
	s, err := e.findService(r, clusterReference, serviceReference, more)
	if err == nil && s.status != statusActive {
		return nil, badRequest("ServiceNotActiveException", "Service was not ACTIVE.")
	}
	return s, err
}

// findService asks for leave for the request's action and returns the service.
func (e *Emulator) findService(r *request, clusterReference, serviceReference string, more map[string]string) (*service, *Error) {
	cluster, err := r.clusterName(clusterReference)
	if err != nil {
		return nil, err
	}
	name, err := r.serviceName(cluster, serviceReference)
	if err != nil {
		return nil, err
	}
	if err := e.authorizeService(r, cluster, name, more); err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	s, ok := c.services[name]
	if !ok {
		return nil, errServiceNotFound()
	}
	e.advance(s)
	return s, nil
}

func (e *Emulator) updateService(r *request, in serviceRequest) (any, *Error) {
	s, err := e.openService(r, in.Cluster, in.Service, e.taskDefinitionContext(r, in.TaskDefinition))
	if err != nil {
		return nil, err
	}
	if err := in.checkController(s); err != nil {
		return nil, err
	}
	if err := in.Configuration.check(); err != nil {
		return nil, err
	}
	redeploy := in.Force
	if in.TaskDefinition != nil {
		t, err := e.deployable(r.key(), *in.TaskDefinition)
		if err != nil {
			return nil, err
		}
		redeploy = redeploy || s.taskDefinition != t.arn()
		s.taskDefinition = t.arn()
	}
	changed, err := s.setFields(r)
	if err != nil {
		return nil, err
	}
	if in.DesiredCount != nil {
		s.scale(*in.DesiredCount)
	}
	if (redeploy || changed) && s.controller == controllerECS {
		e.startDeployment(s, r.now)
	}
	return object{"service": s.describe(false)}, nil
}

// checkController refuses what only the service's own deployment controller may do.
func (in serviceRequest) checkController(s *service) *Error {
	if s.controller == controllerECS {
		return nil
	}
	remedy := map[string]string{
		controllerCodeDeploy: "Use AWS CodeDeploy to trigger a new deployment.",
		controllerExternal:   "Use CreateTaskSet to trigger a new deployment.",
	}[s.controller]
	what := ""
	switch {
	case in.TaskDefinition != nil:
		what = "Unable to update task definition"
	case in.Force:
		what = "Cannot force a new deployment"
	case in.Network != nil:
		what = "Unable to update network parameters"
	default:
		return nil
	}
	return errInvalidParameter("%s on services with a %s deployment controller. %s", what, s.controller, remedy)
}

// scale sets the number of tasks. Those that run follow at once.
func (s *service) scale(desired int) {
	s.desired = desired
	if len(s.deployments) == 0 {
		return
	}
	d := s.deployments[0]
	d.desired = desired
	if d.pending > 0 {
		d.pending = desired
	}
	if d.running > 0 || d.state == completed {
		d.running = desired
	}
}

type deleteServiceInput struct {
	Cluster string `json:"cluster"`
	Service string `json:"service"`
	Force   bool   `json:"force"`
}

func (e *Emulator) deleteService(r *request, in deleteServiceInput) (any, *Error) {
	s, err := e.openService(r, in.Cluster, in.Service, nil)
	if err != nil {
		return nil, err
	}
	if s.desired > 0 && !in.Force {
		return nil, errInvalidParameter("The service cannot be stopped while it is scaled above 0.")
	}
	// The service can still be described, as in AWS until some time has passed. That its
	// last deployments are still there is an assumption, and so is that it skips DRAINING.
	// Its service deployments go with it.
	s.status = statusInactive
	s.history = nil
	s.desired = 0
	for _, d := range s.deployments {
		d.desired, d.pending, d.running, d.next = 0, 0, 0, time.Time{}
	}
	return object{"service": s.describe(false)}, nil
}
