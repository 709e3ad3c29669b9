package cli

import (
	"strings"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/image"
)

// explanation is what explain prints with --json.
type explanation struct {
	Environment string             `json:"environment"`
	EventID     string             `json:"event_id"`
	Verdict     event.Verdict      `json:"verdict"` // see explainedVerdict
	Reason      string             `json:"reason"`
	Together    bool               `json:"together"` // all of the requests are deployed, or none
	Requests    []explainedRequest `json:"requests"`
	Rollout     *explainedRollout  `json:"rollout,omitempty"` // if followed
	Change      *explainedChange   `json:"change,omitempty"`  // of configuration, which redeploys services
}

// explainedRequest is a deployment that an event asks for.
type explainedRequest struct {
	Service string `json:"service"` // as results and outcomes name it
	Status  string `json:"status"`  // requested, or rejected
	Reason  string `json:"reason"`  // why it is rejected
	Action  string `json:"action"`  // deploy, rollback or redeploy
	Tag     string `json:"tag,omitempty"`
	Image   string `json:"image,omitempty"` // unless it is found when the event is handled

	Registry       string `json:"registry,omitempty"`        // its host
	RegistryReason string `json:"registry_reason,omitempty"` // what decides the registry

	Cluster    string   `json:"cluster"`
	ECSService string   `json:"ecs_service,omitempty"`
	Pointers   []string `json:"pointers,omitempty"` // of a task, instead of an ECS service
	Family     string   `json:"family"`
	Base       string   `json:"base"`       // the revision that is cloned: latest or service
	Containers []string `json:"containers"` // that the file names, else the conventional one

	Push       bool `json:"push"`
	Optional   bool `json:"optional"`   // skipped if ECR does not have the image
	Replicated bool `json:"replicated"` // waits for the image for up to 30 minutes
	DryRun     bool `json:"dry_run"`
	Force      bool `json:"force"`
}

// explainedRollout is the rollout that an event of ECS is about.
type explainedRollout struct {
	Service      string     `json:"service"`
	Step         event.Step `json:"step"`
	DeploymentID string     `json:"deployment_id"`
	Reason       string     `json:"reason"`
}

// explainedChange is configuration that changed.
type explainedChange struct {
	Trigger environment.Trigger `json:"trigger"`
	Name    string              `json:"name"`
	ARN     string              `json:"arn"`
}

// explanationOf returns what an event would do as plain data.
func explanationOf(env *environment.Environment, reading event.Reading) explanation {
	e := explanation{Environment: env.Name, EventID: reading.ID, Verdict: explainedVerdict(reading),
		Reason: reading.Reason, Requests: []explainedRequest{}}
	for _, r := range reading.Requests {
		e.Together = e.Together || r.Together
		e.Requests = append(e.Requests, explainedRequestOf(env, r))
	}
	switch reading.Verdict {
	case event.Followed:
		r := reading.Rollout
		e.Rollout = &explainedRollout{r.Workload.Label(), r.Step, r.DeploymentID, r.Reason}
	case event.Changed:
		e.Change = &explainedChange{reading.Change.Trigger, reading.Change.Name, reading.Change.ARN}
	}
	return e
}

func explainedRequestOf(env *environment.Environment, r event.Request) explainedRequest {
	w := r.Workload
	e := explainedRequest{Service: w.Label(), Status: "requested", Action: "deploy", Tag: r.Tag,
		RegistryReason: w.RegistryReason, Cluster: env.Cluster, Family: w.Family, Base: string(env.Base),
		Containers: w.Containers.Names(), Push: r.Push, Optional: r.Optional, Replicated: r.Replicated,
		DryRun: r.DryRun, Force: r.Force}
	switch {
	case r.Rollback:
		e.Action = "rollback"
	case r.Redeploy:
		e.Action = "redeploy"
	case w.Repository != "":
		e.Image = w.Reference(r.Tag).String()
	}
	if w.Registry != (image.Registry{}) {
		e.Registry = w.Registry.Host()
	}
	if w.HasService() {
		e.ECSService = w.Pointer.Name()
	} else if w.Pointers != "" {
		e.Pointers = strings.Split(string(w.Pointers), ",")
	}
	if len(e.Containers) == 0 {
		e.Containers = []string{w.Container}
	}
	if status, reason := refusal(r); status != "" {
		e.Status, e.Reason = string(status), reason
	}
	return e
}
