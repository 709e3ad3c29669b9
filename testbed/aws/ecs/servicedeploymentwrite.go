package ecs

import (
	"slices"

	"deployer/testbed/aws/api"
)

// openServiceDeployment checks that the caller may carry out the operation, and returns the service deployment.
func (e *Server) openServiceDeployment(r *api.Request, arn string) (*serviceDeployment, *api.Error) {
	d, err := e.findServiceDeployment(r, arn)
	if err == nil && d == nil {
		err = errServiceDeploymentNotFound
	}
	return d, err
}

type stopServiceDeploymentInput struct {
	ARN  string `json:"serviceDeploymentArn"`
	Type string `json:"stopType"`
}

// stopServiceDeployment rolls a service deployment back. The API reference lists the stop type ABORT without describing
// it; here it is an error.
func (e *Server) stopServiceDeployment(r *api.Request, in stopServiceDeploymentInput) (any, *api.Error) {
	if !slices.Contains([]string{"", rollbackHook}, in.Type) {
		return nil, api.InvalidParameter("Unknown stop type: %s", in.Type)
	}
	d, err := e.openServiceDeployment(r, in.ARN)
	if err != nil {
		return nil, err
	}
	answer := api.Object{"serviceDeploymentArn": in.ARN}
	switch {
	case d.over():
		return nil, api.NewError("ConflictException", "The service deployment has the status %s and cannot be stopped.",
			d.status)
	case d.status != string(inProgress): // it is being stopped or rolled back already
		return answer, nil
	case d.service.completed == (completion{}):
		return nil, api.NewError("ConflictException", "No rollback candidate was found to run the rollback.")
	}
	for _, h := range d.hooks {
		if h.status == hookAwaiting {
			e.setHook(d.service, d, h, hookFailed, r.Now)
		}
	}
	e.fail(d.service, d.target, r.Now, failure{
		cause: "ECS deployment stopped", what: "it was stopped by StopServiceDeployment.",
		why: "of a request to stop it.", rollback: true,
	})
	return answer, nil
}

type continueServiceDeploymentInput struct {
	ARN    string `json:"serviceDeploymentArn"`
	Hook   string `json:"hookId"`
	Action string `json:"action"`
}

func (e *Server) continueServiceDeployment(r *api.Request, in continueServiceDeploymentInput) (any, *api.Error) {
	switch in.Action {
	case "":
		in.Action = continueHook
	case continueHook, rollbackHook:
	default:
		return nil, api.InvalidParameter("Unknown action: %s", in.Action)
	}
	d, err := e.openServiceDeployment(r, in.ARN)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.hooks, func(h *hook) bool { return h.id == in.Hook })
	if i < 0 {
		return nil, api.InvalidParameter("The lifecycle hook %s is not one of the service deployment.", in.Hook)
	}
	h := d.hooks[i]
	if h.status != hookAwaiting || d.status != string(inProgress) {
		return nil, api.InvalidParameter("The lifecycle hook %s is not awaiting an action.", in.Hook)
	}
	if in.Action == rollbackHook {
		e.setHook(d.service, d, h, hookFailed, r.Now)
	} else {
		e.setHook(d.service, d, h, hookSucceeded, r.Now)
	}
	e.resume(d.service, d.target, h, in.Action, r.Now)
	return api.Object{"serviceDeploymentArn": in.ARN}, nil
}
