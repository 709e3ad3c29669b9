package ecs

import (
	"encoding/json"
	"time"

	"deployer/testbed/aws/api"
)

// A serviceRequest is the part of CreateService, UpdateService and DeleteService that the emulator interprets.
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

// authorizeService checks that the caller may carry out the operation on a service. more are further condition keys.
func (e *Server) authorizeService(r *api.Request, cluster, name string, more map[string]string) *api.Error {
	context := map[string]string{"ecs:cluster": clusterARN(r.Scope(), cluster)}
	for key, value := range more {
		context[key] = value
	}
	return r.Authorize(api.Access{Action: r.Name(), Resource: serviceARN(r.Scope(), cluster, name), Context: context})
}

// taskDefinitionContext returns the condition key of the task definition that a request sends.
func (e *Server) taskDefinitionContext(r *api.Request, reference *string) map[string]string {
	if reference == nil {
		return nil
	}
	t := e.taskDefinition(r.Scope(), *reference)
	if t != nil {
		return map[string]string{"ecs:task-definition": t.arn()}
	}
	return nil
}

func (e *Server) createService(r *api.Request, in serviceRequest) (any, *api.Error) {
	if in.Controller.Type == "" {
		in.Controller.Type = controllerECS
	}
	if err := in.checkCreation(); err != nil {
		return nil, err
	}
	cluster, err := clusterName(r, in.Cluster)
	if err != nil {
		return nil, err
	}
	more := addRequestTags(e.taskDefinitionContext(r, in.TaskDefinition), in.Tags)
	if err := e.authorizeService(r, cluster, in.Name, more); err != nil {
		return nil, err
	}
	if err := e.authorizeTagging(r, serviceARN(r.Scope(), cluster, in.Name), in.Tags); err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	if old, ok := c.services[in.Name]; ok && old.status == statusActive {
		return nil, api.InvalidParameter("Creation of service was not idempotent.")
	}
	s, err := e.newService(r, in, cluster)
	if err != nil {
		return nil, err
	}
	c.services[s.name] = s
	if s.controller == controllerECS {
		e.startDeployment(s, r.Now)
	}
	return api.Object{"service": s.describe(true)}, nil
}

func (in serviceRequest) checkCreation() *api.Error {
	switch {
	case !IsName(in.Name):
		return api.InvalidParameter("Invalid service name: %s", in.Name)
	case in.Controller.Type != controllerECS && in.Controller.Type != controllerCodeDeploy &&
		in.Controller.Type != controllerExternal:
		return api.InvalidParameter("Unknown deployment controller type: %s", in.Controller.Type)
	case in.TaskDefinition == nil && in.Controller.Type != controllerExternal:
		return api.InvalidParameter("TaskDefinition can not be blank.")
	case in.DesiredCount != nil && *in.DesiredCount < 0:
		return api.InvalidParameter("desiredCount must be greater than or equal to 0.")
	case in.Tags != nil && len(in.Tags) == 0:
		return api.InvalidParameter("Tags can not be empty.")
	}
	if err := in.Configuration.check(); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

// newService returns the service that a request describes.
func (e *Server) newService(r *api.Request, in serviceRequest, cluster string) (*service, *api.Error) {
	s := &service{
		scope: r.Scope(), cluster: cluster, name: in.Name,
		fields: map[string]json.RawMessage{}, controller: in.Controller.Type,
		status: statusActive, created: r.Now, createdBy: r.Caller.Principal(), tags: in.Tags,
	}
	if in.DesiredCount != nil {
		s.desired = *in.DesiredCount
	}
	if in.TaskDefinition != nil {
		t, err := e.activeTaskDefinition(r.Scope(), *in.TaskDefinition)
		if err != nil {
			return nil, err
		}
		if t.awsvpc && in.Network == nil {
			return nil, api.InvalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is " +
				"specified.")
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

// openService is findService for operations that need an ACTIVE service.
func (e *Server) openService(
	r *api.Request, clusterReference, serviceReference string, more map[string]string,
) (*service, *api.Error) {
	s, err := e.findService(r, clusterReference, serviceReference, more)
	if err == nil && s.status != statusActive {
		return nil, errServiceNotActive
	}
	return s, err
}

// findService checks that the caller may carry out the operation, and returns the service, advanced to the clock's
// time.
func (e *Server) findService(
	r *api.Request, clusterReference, serviceReference string, more map[string]string,
) (*service, *api.Error) {
	cluster, err := clusterName(r, clusterReference)
	if err != nil {
		return nil, err
	}
	name, err := serviceName(r, cluster, serviceReference)
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
		return nil, errServiceNotFound
	}
	e.advance(s)
	return s, nil
}

func (e *Server) updateService(r *api.Request, in serviceRequest) (any, *api.Error) {
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
		t, err := e.activeTaskDefinition(r.Scope(), *in.TaskDefinition)
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
		e.startDeployment(s, r.Now)
	}
	return api.Object{"service": s.describe(false)}, nil
}

// checkController returns an error for a change that only the service's deployment controller may make.
func (in serviceRequest) checkController(s *service) *api.Error {
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
	return api.InvalidParameter("%s on services with a %s deployment controller. %s", what, s.controller, remedy)
}

// scale sets the number of tasks. Running tasks follow at once.
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

func (e *Server) deleteService(r *api.Request, in deleteServiceInput) (any, *api.Error) {
	s, err := e.openService(r, in.Cluster, in.Service, nil)
	if err != nil {
		return nil, err
	}
	if s.desired > 0 && !in.Force {
		return nil, api.InvalidParameter("The service cannot be stopped while it is scaled above 0.")
	}
	// The service can still be described, as in AWS for some time. Two assumptions: it keeps its last deployments, and
	// it is never DRAINING. Its service deployments are deleted.
	s.status = statusInactive
	s.history = nil
	s.desired = 0
	for _, d := range s.deployments {
		d.desired, d.pending, d.running, d.next = 0, 0, 0, time.Time{}
	}
	return api.Object{"service": s.describe(false)}, nil
}
