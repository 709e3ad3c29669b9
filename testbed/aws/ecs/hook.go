package ecs

import (
	"slices"
	"time"

	"deployer/testbed/aws/api"
)

const (
	maxHooks = 10 // pause hooks of a service

	pauseHook     = "PAUSE"
	continueHook  = "CONTINUE"
	rollbackHook  = "ROLLBACK"
	hookAwaiting  = "AWAITING_ACTION"
	hookSucceeded = "SUCCEEDED"
	hookFailed    = "FAILED"
	hookTimedOut  = "TIMED_OUT"

	defaultTimeout = 1440  // minutes
	maxTimeout     = 20160 // minutes
)

// A deploymentConfiguration is the part of a service's deployment configuration that the emulator interprets.
type deploymentConfiguration struct {
	Breaker  breaker             `json:"deploymentCircuitBreaker"`
	Strategy string              `json:"strategy"`
	Bake     int                 `json:"bakeTimeInMinutes"`
	Hooks    []hookConfiguration `json:"lifecycleHooks"`
	Linear   linearConfiguration `json:"linearConfiguration"`
	Canary   canaryConfiguration `json:"canaryConfiguration"`
}

// A breaker is the configuration of the circuit breaker.
type breaker struct{ Enable, Rollback bool }

// A hookConfiguration is a pause hook. Hooks that call functions are an error.
type hookConfiguration struct {
	TargetType string   `json:"targetType"`
	Stages     []string `json:"lifecycleStages"`
	Timeout    struct {
		Minutes *int   `json:"timeoutInMinutes"`
		Action  string `json:"action"`
	} `json:"timeoutConfiguration"`
}

// check returns an error for a configuration that is not valid or not emulated.
func (c deploymentConfiguration) check() *api.Error {
	if !slices.Contains([]string{"", "ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"}, c.Strategy) {
		return api.InvalidParameter("Unknown deployment strategy: %s", c.Strategy)
	}
	if c.Bake < 0 || c.Bake > maxBake {
		return api.InvalidParameter("bakeTimeInMinutes must be between 0 and 1440.")
	}
	if err := c.checkShift(); err != nil {
		return err
	}
	if len(c.Hooks) > maxHooks {
		return api.InvalidParameter("A service cannot have more than %d pause hooks.", maxHooks)
	}
	for _, h := range c.Hooks {
		if err := h.check(); err != nil {
			return err
		}
	}
	return nil
}

func (h hookConfiguration) check() *api.Error {
	minutes := h.minutes()
	switch {
	case h.TargetType != pauseHook:
		return api.InvalidParameter("Lifecycle hooks of functions are not supported by the emulator.")
	case len(h.Stages) == 0:
		return api.InvalidParameter("Lifecycle hook must have at least one lifecycle stage.")
	case minutes < 1 || minutes > maxTimeout:
		return api.InvalidParameter("timeoutInMinutes must be between 1 and %d.", maxTimeout)
	}
	for _, stage := range h.Stages {
		if !slices.Contains(stages, stage) || slices.Contains(unpausable, stage) {
			return api.InvalidParameter("Pause hooks cannot be configured at the %s stage.", stage)
		}
	}
	return nil
}

func (h hookConfiguration) minutes() int {
	if h.Timeout.Minutes == nil {
		return defaultTimeout
	}
	return *h.Timeout.Minutes
}

// A hook is a pause hook at which a deployment stopped.
type hook struct {
	id      string
	stage   string
	status  string
	expires time.Time
	action  string // taken when it expires
}

func (h *hook) describe() api.Object {
	return api.Object{"hookId": h.id, "targetType": pauseHook, "status": h.status,
		"expiresAt": api.Timestamp(h.expires), "timeoutAction": h.action}
}

// pause stops the deployment at the hooks of its stage. It returns the time until the first of them expires, zero if
// there is none.
func (e *Server) pause(s *service, d *deployment, stage string, at time.Time) time.Duration {
	for _, c := range d.record.configuration.Hooks {
		if !slices.Contains(c.Stages, stage) {
			continue
		}
		h := &hook{id: "ecs-pause-" + e.backend.NewToken(), stage: stage, action: c.Timeout.Action,
			expires: at.Add(time.Duration(c.minutes()) * time.Minute)}
		if h.action == "" {
			h.action = rollbackHook
		}
		d.record.hooks = append(d.record.hooks, h)
		e.setHook(s, d.record, h, hookAwaiting, at)
	}
	if !d.record.paused() {
		return 0
	}
	return d.record.expiry().Sub(at)
}

// paused reports whether a hook awaits an action.
func (d *serviceDeployment) paused() bool {
	return slices.ContainsFunc(d.hooks, func(h *hook) bool { return h.status == hookAwaiting })
}

// expiry returns when the first of the awaiting hooks expires.
func (d *serviceDeployment) expiry() time.Time {
	var first time.Time
	for _, h := range d.hooks {
		if h.status == hookAwaiting && (first.IsZero() || h.expires.Before(first)) {
			first = h.expires
		}
	}
	return first
}

// expire takes the timeout action of the hook that expired.
func (e *Server) expire(s *service, d *deployment, at time.Time) {
	for _, h := range d.record.hooks {
		if h.status == hookAwaiting && !h.expires.After(at) {
			e.setHook(s, d.record, h, hookTimedOut, at)
			e.resume(s, d, h, h.action, at)
			return
		}
	}
}

// resume continues the deployment after an action on a hook, or rolls it back. The deployment continues only if no
// other hook awaits an action.
func (e *Server) resume(s *service, d *deployment, h *hook, action string, at time.Time) {
	if action == rollbackHook {
		for _, other := range d.record.hooks {
			if other.status == hookAwaiting {
				other.status = hookFailed
			}
		}
		e.fail(s, d, at, failure{
			cause: "ECS deployment lifecycle hook", what: h.stage + " lifecycle hook(s) failed.",
			why: h.stage + " lifecycle hook(s) failed.", rollback: true,
		})
		return
	}
	if d.record.paused() {
		d.next = d.record.expiry()
		return
	}
	e.proceed(s, d, at)
}

// setHook sets a hook's status and sends its event, ECS Hook State Change (ECS developer guide, "Amazon ECS events").
func (e *Server) setHook(s *service, record *serviceDeployment, h *hook, status string, at time.Time) {
	h.status = status
	kind := "INFO"
	if status == hookFailed || status == hookTimedOut {
		kind = "ERROR"
	}
	e.publish(s.scope, at, "ECS Hook State Change", []string{record.arn()}, api.Object{
		"eventType": kind, "eventName": "HOOK_" + status, "hookId": h.id, "hookType": pauseHook,
		"expiresAt": api.EventTime(h.expires), "lifecycleStage": h.stage, "clusterArn": clusterARN(s.scope, s.cluster),
		"serviceArn": s.arn(), "serviceDeploymentArn": record.arn(), "updatedAt": api.EventTime(at),
	})
}
