package ecs

import (
	"math"
	"slices"
	"time"

	"deployer/testbed/aws/api"
)

// The defaults of linear and canary deployments, in percent and minutes (ECS API reference, "LinearConfiguration" and
// "CanaryConfiguration").
const (
	defaultStep, defaultStepBake     = 10.0, 6
	defaultCanary, defaultCanaryBake = 5.0, 10
	minStep, minCanary               = 3.0, 0.1
	maxBake                          = 1440
)

// A linearConfiguration is how a linear deployment shifts traffic.
type linearConfiguration struct {
	Percent *float64 `json:"stepPercent"`
	Bake    *int     `json:"stepBakeTimeInMinutes"`
}

// A canaryConfiguration is how a canary deployment shifts traffic.
type canaryConfiguration struct {
	Percent *float64 `json:"canaryPercent"`
	Bake    *int     `json:"canaryBakeTimeInMinutes"`
}

// shifts reports whether traffic is shifted from the old tasks to the new ones while both run.
func (c deploymentConfiguration) shifts() bool { return c.Strategy != "" && c.Strategy != "ROLLING" }

// step returns the percentage of traffic that the strategy shifts first, or at each step, and how long it then bakes.
func (c deploymentConfiguration) step() (percent float64, bake int) {
	switch c.Strategy {
	case "LINEAR":
		return or(c.Linear.Percent, defaultStep), or(c.Linear.Bake, defaultStepBake)
	case "CANARY":
		return or(c.Canary.Percent, defaultCanary), or(c.Canary.Bake, defaultCanaryBake)
	}
	return 100, 0
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// checkShift returns an error for steps that are not valid, or that belong to another strategy.
func (c deploymentConfiguration) checkShift() *api.Error {
	switch {
	case c.Linear != (linearConfiguration{}) && c.Strategy != "LINEAR":
		return api.InvalidParameter("linearConfiguration is only valid with the LINEAR deployment strategy.")
	case c.Canary != (canaryConfiguration{}) && c.Strategy != "CANARY":
		return api.InvalidParameter("canaryConfiguration is only valid with the CANARY deployment strategy.")
	}
	percent, bake := c.step()
	smallest := minCanary
	if c.Strategy == "LINEAR" {
		smallest = minStep
	}
	tenths := percent * 10
	if percent < smallest || percent > 100 || math.Abs(tenths-math.Round(tenths)) > 1e-6 {
		return api.InvalidParameter("The percentage must be a multiple of 0.1 from %.1f to 100.0.", smallest)
	}
	if bake < 0 || bake > maxBake {
		return api.InvalidParameter("The bake time of a step must be between 0 and %d minutes.", maxBake)
	}
	return nil
}

// shift shifts the next part of the traffic, and returns how long it takes with its bake time. The bake time of a step
// is not applied at 100 percent. A rollback shifts all traffic at once (ECS developer guide, "Amazon ECS linear
// deployments" and "Amazon ECS canary deployments").
func (e *Server) shift(d *deployment) time.Duration {
	c := d.record.configuration
	percent, bake := c.step()
	d.weight += percent
	if c.Strategy == "CANARY" && d.weight > percent {
		d.weight = 100
	}
	if d.rollback || d.weight > 100-1e-6 {
		d.weight, bake = 100, 0
	}
	if d.desired == 0 {
		return 0
	}
	return e.options.RolloutStep + time.Duration(bake)*e.options.BakeMinute
}

// nextStage returns the index of the stage after the deployment's stage. The stages around a traffic shift recur until
// all traffic is shifted (ECS developer guide, "Lifecycle hooks for Amazon ECS service deployments": the recurring
// invocation stages are PRE_PRODUCTION_TRAFFIC_SHIFT and PRODUCTION_TRAFFIC_SHIFT).
func (d *deployment) nextStage() int {
	if d.stage >= 0 && stages[d.stage] == stageShift && d.weight < 100 {
		return slices.Index(stages, stagePreShift)
	}
	return d.stage + 1
}
