package emulator

import "slices"

func errNoServiceDeployment() *Error {
	return badRequest("ServiceDeploymentNotFoundException", "Service deployment not found.")
}

// openServiceDeployment asks for leave for the request's action and returns the service
// deployment.
func (e *Emulator) openServiceDeployment(r *request, arn string) (*serviceDeployment, *Error) {
	s, err := e.ownedService(r, "service-deployment", arn)
	if err != nil {
		return nil, err
	}
	d := s.record(arn)
	if d == nil {
		return nil, errNoServiceDeployment()
	}
	return d, nil
}

type stopServiceDeploymentInput struct {
	ARN  string `json:"serviceDeploymentArn"`
	Type string `json:"stopType"`
}

// stopServiceDeployment rolls a service deployment back. AWS's reference knows the stop
// type ABORT too, without a word on what it does: here the deployment ends where it is.
func (e *Emulator) stopServiceDeployment(r *request, in stopServiceDeploymentInput) (any, *Error) {
	if !slices.Contains([]string{"", rollbackHook, "ABORT"}, in.Type) {
		return nil, errInvalidParameter("Unknown stop type: %s", in.Type)
	}
	d, err := e.openServiceDeployment(r, in.ARN)
	if err != nil {
		return nil, err
	}
	answer := object{"serviceDeploymentArn": in.ARN}
	switch {
	case d.over():
		return nil, badRequest("ConflictException", "The service deployment has the status %s and cannot be stopped.", d.status)
	case d.status != string(inProgress): // it stops or rolls back already
		return answer, nil
	case in.Type != "ABORT" && d.completed == (completion{}):
		return nil, badRequest("ConflictException", "No rollback candidate was found to run the rollback.")
	}
	for _, h := range d.hooks {
		if h.status == hookAwaiting {
			e.setHook(d.service, d, h, hookFailed, r.now)
		}
	}
	e.fail(d.service, d.target, r.now, failure{
		cause: "ECS deployment stopped", what: "it was stopped by StopServiceDeployment.",
		why: "of a request to stop it.", rollback: in.Type != "ABORT",
	})
	return answer, nil
}

type continueServiceDeploymentInput struct {
	ARN    string `json:"serviceDeploymentArn"`
	Hook   string `json:"hookId"`
	Action string `json:"action"`
}

func (e *Emulator) continueServiceDeployment(r *request, in continueServiceDeploymentInput) (any, *Error) {
	switch in.Action {
	case "":
		in.Action = continueHook
	case continueHook, rollbackHook:
	default:
		return nil, errInvalidParameter("Unknown action: %s", in.Action)
	}
	d, err := e.openServiceDeployment(r, in.ARN)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.hooks, func(h *hook) bool { return h.id == in.Hook })
	if i < 0 {
		return nil, errInvalidParameter("The lifecycle hook %s is not one of the service deployment.", in.Hook)
	}
	h := d.hooks[i]
	if h.status != hookAwaiting || d.status != string(inProgress) {
		return nil, errInvalidParameter("The lifecycle hook %s is not awaiting an action.", in.Hook)
	}
	if in.Action == rollbackHook {
		e.setHook(d.service, d, h, hookFailed, r.now)
	} else {
		e.setHook(d.service, d, h, hookSucceeded, r.now)
	}
	e.resume(d.service, d.target, h, in.Action, r.now)
	return object{"serviceDeploymentArn": in.ARN}, nil
}
