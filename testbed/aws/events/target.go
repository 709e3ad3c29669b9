package events

import (
	"slices"

	"deployer/testbed/aws/api"
)

// maxTargets is how many targets a rule may have (EventBridge quotas).
const maxTargets = 5

// pipelines are services that can be targets, and that nothing is delivered to: they are not emulated. Such a target
// needs a role (EventBridge API reference, "PutTargets").
var pipelines = map[string]bool{"codebuild": true, "codepipeline": true, "states": true}

// A target is where a rule sends events.
type target struct {
	ID         string            `json:"Id"`
	ARN        string            `json:"Arn"`
	RoleARN    string            `json:"RoleArn,omitempty"`
	DeadLetter *deadLetterConfig `json:"DeadLetterConfig,omitempty"`
	Retry      *struct {
		Attempts *int `json:"MaximumRetryAttempts,omitempty"`
		Age      *int `json:"MaximumEventAgeInSeconds,omitempty"`
	} `json:"RetryPolicy,omitempty"`

	// Changes of the event on its way are not emulated: these are errors.
	Input            *string   `json:"Input,omitempty"`
	InputPath        *string   `json:"InputPath,omitempty"`
	InputTransformer *struct{} `json:"InputTransformer,omitempty"`
}

// A deadLetterConfig names the queue of events that could not be delivered.
type deadLetterConfig struct {
	ARN string `json:"Arn"`
}

// check returns an error for a target that EventBridge or the emulator cannot deliver to.
func (t target) check(rule api.Scope) *api.Error {
	service, owner, _, ok := api.SplitARN(t.ARN)
	switch {
	case t.ID == "":
		return api.Validation("Parameter Id is required.")
	case !ok:
		return api.Validation("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", t.ARN)
	case pipelines[service]:
		if t.RoleARN == "" {
			return api.Validation("RoleArn is required for target %s.", t.ARN)
		}
	case service != "lambda" && service != "sqs" && service != "events":
		return api.Validation("Parameter %s is not valid. "+
			"Reason: the emulator delivers to Lambda, SQS and event buses only.", t.ARN)
	case t.Input != nil || t.InputPath != nil || t.InputTransformer != nil:
		return api.Validation("Modifying the input for target %s is not supported by the emulator.", t.ID)
	case service == "events" && owner != rule && t.RoleARN == "":
		return api.Validation("RoleArn is required for target %s.", t.ARN)
	}
	return nil
}

type putTargetsInput struct {
	ruleID
	Targets []target
}

// putTargets adds targets to a rule, or replaces those with the same id.
func (e *Server) putTargets(r *api.Request, in putTargetsInput) (any, *api.Error) {
	found, err := e.openRule(r, in.ruleID)
	if err != nil {
		return nil, err
	}
	targets := slices.Clone(found.targets)
	for _, t := range in.Targets {
		if err := t.check(found.bus.scope); err != nil {
			return nil, err
		}
		targets = slices.DeleteFunc(targets, func(old target) bool { return old.ID == t.ID })
		targets = append(targets, t)
	}
	if len(targets) > maxTargets {
		return nil, api.NewError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
	}
	found.targets = targets
	return api.Object{"FailedEntryCount": 0, "FailedEntries": []api.Object{}}, nil
}

type listTargetsByRuleInput struct {
	ruleID
	NextToken string
	Limit     int
}

func (e *Server) listTargetsByRule(r *api.Request, in listTargetsByRuleInput) (any, *api.Error) {
	found, err := e.openRule(r, in.ruleID)
	if err != nil {
		return nil, err
	}
	targets, next, err := api.Page(found.targets, api.Paging{Token: in.NextToken, Limit: in.Limit}, 100, 100)
	if err != nil {
		return nil, err
	}
	answer := api.Object{"Targets": api.NonNil(targets)}
	if next != "" {
		answer["NextToken"] = next
	}
	return answer, nil
}
