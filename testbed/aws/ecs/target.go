package ecs

import (
	"encoding/json"
	"unicode"

	"deployer/testbed/aws/api"
)

// maxTargetStartedBy is how many characters of its startedBy EventBridge and EventBridge Scheduler keep. AWS does not
// document it; in public logs, tasks of long rules and schedules have 36.
const maxTargetStartedBy = 36

// RunTarget starts the task of a target of EventBridge or EventBridge Scheduler with the permissions of its role, in a
// cluster by its ARN. The parameters are the target's EcsParameters. The input is the overrides of the task; members
// that overrides do not have, such as those of an event, are ignored. It is called with the lock held.
func (e *Server) RunTarget(role api.Caller, cluster string, parameters, input json.RawMessage,
	startedBy string) *api.Error {
	sent := map[string]any{"cluster": cluster, "startedBy": startedBy[:min(len(startedBy), maxTargetStartedBy)]}
	var given map[string]any
	if err := json.Unmarshal(parameters, &given); err != nil {
		return api.InvalidParameter("EcsParameters are not valid: %v", err)
	}
	names := map[string]string{"taskDefinitionArn": "taskDefinition", "taskCount": "count"}
	for name, value := range uncapitalized(given).(map[string]any) {
		if other := names[name]; other != "" {
			name = other
		}
		sent[name] = value
	}
	var overrides struct {
		Containers    json.RawMessage `json:"containerOverrides,omitempty"`
		TaskRole      json.RawMessage `json:"taskRoleArn,omitempty"`
		ExecutionRole json.RawMessage `json:"executionRoleArn,omitempty"`
		CPU           json.RawMessage `json:"cpu,omitempty"`
		Memory        json.RawMessage `json:"memory,omitempty"`
	}
	if json.Unmarshal(input, &overrides) == nil {
		sent["overrides"] = overrides
	}
	return e.RunTask(role, api.Encode(sent))
}

// uncapitalized returns a value with the names of its members as ECS writes them: subnets for Subnets.
func uncapitalized(value any) any {
	switch value := value.(type) {
	case map[string]any:
		changed := map[string]any{}
		for name, member := range value {
			letters := []rune(name)
			letters[0] = unicode.ToLower(letters[0])
			changed[string(letters)] = uncapitalized(member)
		}
		return changed
	case []any:
		for i, element := range value {
			value[i] = uncapitalized(element)
		}
	}
	return value
}
