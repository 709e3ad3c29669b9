package events

import (
	"encoding/json"
	"slices"

	"deployer/testbed/aws/api"
)

// maxTargets is how many targets a rule may have (EventBridge quotas).
const maxTargets = 5

// pipelines are services that can be targets, and that nothing is delivered to: they are not emulated. Such a target
// needs a role (EventBridge API reference, "PutTargets").
var pipelines = map[string]bool{"codebuild": true, "codepipeline": true, "states": true, "ecs": true}

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

	// Changes of the event on its way are not emulated: these are errors, but of a target that nothing is delivered to.
	Input            *string   `json:"Input,omitempty"`
	InputPath        *string   `json:"InputPath,omitempty"`
	InputTransformer *struct{} `json:"InputTransformer,omitempty"`

	Task json.RawMessage `json:"EcsParameters,omitempty"`

	raw json.RawMessage // as it was sent: ListTargetsByRule returns all members
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *target) UnmarshalJSON(raw []byte) error {
	type members target
	t.raw = slices.Clone(raw)
	return json.Unmarshal(raw, (*members)(t))
}

// MarshalJSON implements [json.Marshaler].
func (t target) MarshalJSON() ([]byte, error) {
	if t.raw != nil {
		return t.raw, nil
	}
	type members target
	return json.Marshal(members(t))
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
		if service == "ecs" {
			return t.checkTask()
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

// checkTask checks the parameters of an ECS task (EventBridge API reference, "EcsParameters").
func (t target) checkTask() *api.Error {
	var task struct {
		TaskDefinition string `json:"TaskDefinitionArn"`
		Count          *int   `json:"TaskCount"`
	}
	switch err := json.Unmarshal(t.Task, &task); {
	case err != nil || task.TaskDefinition == "":
		return api.Validation("Parameter EcsParameters.TaskDefinitionArn is required for target %s.", t.ID)
	case task.Count != nil && *task.Count < 1:
		return api.Validation("Parameter EcsParameters.TaskCount of target %s is not valid.", t.ID)
	}
	return nil
}

// authorize checks that the caller may pass the target's role (user guide, "Permissions required for EventBridge to
// access targets").
func (t target) authorize(r *api.Request) *api.Error {
	if t.RoleARN == "" {
		return nil
	}
	passing := map[string]string{"iam:PassedToService": "events.amazonaws.com"}
	return r.Authorize(api.Access{Action: "iam:PassRole", Resource: t.RoleARN, Context: passing})
}

type putTargetsInput struct {
	ruleID
	Targets []target
}

// putTargets adds targets to a rule, or replaces those with the same id.
func (e *Server) putTargets(r *api.Request, in putTargetsInput) (any, *api.Error) {
	in.targets = in.Targets
	found, err := e.openRule(r, in.ruleID)
	if err != nil {
		return nil, err
	}
	if found.managedBy != "" {
		return nil, managedRule(found)
	}
	targets := slices.Clone(found.targets)
	failed := []api.Object{}
	for _, t := range in.Targets {
		if err := t.authorize(r); err != nil {
			return nil, err
		}
		if code := found.failing[t.ID]; code != "" {
			failed = append(failed, api.Object{"TargetId": t.ID, "ErrorCode": code, "ErrorMessage": "It failed."})
			continue
		}
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
	return api.Object{"FailedEntryCount": len(failed), "FailedEntries": failed}, nil
}

// FailTarget makes PutTargets answer for a target of a rule of the default bus that it failed with an error code; ""
// ends that. The answer itself is HTTP 200 (EventBridge API reference, "PutTargets").
func (e *Server) FailTarget(scope api.Scope, rule, target, code string) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	found := e.find(busID{scope, defaultBus}).rules[rule]
	if found.failing == nil {
		found.failing = map[string]string{}
	}
	found.failing[target] = code
}

// ManageRule makes a rule of the default bus one of an AWS service: its targets cannot be changed (EventBridge API
// reference, "ManagedRuleException").
func (e *Server) ManageRule(scope api.Scope, rule, service string) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.find(busID{scope, defaultBus}).rules[rule].managedBy = service
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
