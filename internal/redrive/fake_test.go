package redrive

import (
	"context"
	"encoding/json"
	"errors"

	"deployer/internal/ecsdeploy"
	"deployer/internal/pipeline"
)

// results is a pipeline whose result of each event is known, by the event's id.
type results map[string]ecsdeploy.Status

func (r results) Handle(_ context.Context, raw json.RawMessage) (pipeline.Result, error) {
	var e struct{ ID string }
	if err := json.Unmarshal(raw, &e); err != nil {
		return pipeline.Result{}, err
	}
	if r[e.ID] == "" {
		return pipeline.Result{}, errors.New("an outage")
	}
	return pipeline.Result{EventID: e.ID, Status: r[e.ID], Reason: "because"}, nil
}

func (r results) Preview(ctx context.Context, raw json.RawMessage) (pipeline.Result, error) {
	result, err := r.Handle(ctx, raw)
	switch result.Status {
	case ecsdeploy.Deployed:
		result.Status = ecsdeploy.Planned
	case ecsdeploy.Followed:
		result.Status = ecsdeploy.Ignored
	}
	return result, err
}

// all has a result of each kind.
var all = results{
	"deployed": ecsdeploy.Deployed, "superseded": ecsdeploy.Superseded, "unchanged": ecsdeploy.Unchanged,
	"rejected": ecsdeploy.Rejected, "ignored": ecsdeploy.Ignored, "rollout": ecsdeploy.Followed,
	"nothing-to-report": ecsdeploy.Ignored,
}

// preview is a pipeline that says of an event that is not to be run why.
type preview struct {
	results
	rejects bool
}

func (p preview) Handle(ctx context.Context, raw json.RawMessage) (pipeline.Result, error) {
	if p.rejects {
		return pipeline.Result{}, errors.New("it was run")
	}
	return p.results.Handle(ctx, raw)
}

func (p preview) Preview(context.Context, json.RawMessage) (pipeline.Result, error) {
	return pipeline.Result{Status: ecsdeploy.Rejected, Reason: "because"}, nil
}

// several is a pipeline whose event is for two services, of which the rollout of one failed before.
type several struct{ other ecsdeploy.Status }

func (s several) Handle(context.Context, json.RawMessage) (pipeline.Result, error) {
	return pipeline.Result{EventID: "e", Status: s.other, Deployments: []ecsdeploy.Deployment{
		{Service: "web", Status: s.other},
		{Service: "api", Status: ecsdeploy.Ignored, Reason: "it failed", RolloutFailed: true}}}, nil
}

func (s several) Preview(ctx context.Context, raw json.RawMessage) (pipeline.Result, error) {
	result, err := s.Handle(ctx, raw)
	if s.other == ecsdeploy.Deployed {
		result.Status = ecsdeploy.Planned
	}
	return result, err
}
