// Package taskrun runs a task once, as its schedule or its rule would run it: in the same
// cluster and network, on the same capacity, and with the same input.
package taskrun

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/internal/fault"
	"deployer/internal/pointer"
)

// StartedBy is what ECS shows as the starter of the tasks of this package.
const StartedBy = "deployer/run"

// settings are the EcsParameters of a schedule or of a rule's target. Both write the members
// of ECS, with capital letters, and encoding/json does not distinguish these ("EcsParameters"
// in the API references of EventBridge and EventBridge Scheduler). A member that is not here
// is an error: without it, the task would run in another way than it is started.
type settings struct {
	CapacityProviderStrategy []types.CapacityProviderStrategyItem
	EnableECSManagedTags     bool
	EnableExecuteCommand     bool
	Group                    *string
	LaunchType               types.LaunchType
	NetworkConfiguration     *types.NetworkConfiguration
	PlacementConstraints     []types.PlacementConstraint
	PlacementStrategy        []types.PlacementStrategy
	PlatformVersion          *string
	PropagateTags            types.PropagateTags
	ReferenceId              *string
	Tags                     []types.Tag

	TaskDefinitionArn, TaskCount any // which revision and how many are decided elsewhere
}

// Input returns the input of RunTask for one task of a revision, by its ARN, as a pointer
// starts it. With a token, ECS starts it once, however often it is called. What the pointer
// starts the task with can be given instead, as JSON; it has to be for a rule's target that
// takes it from the event. Placeholders of EventBridge Scheduler are replaced. The error is
// a [fault.Misconfiguration] if the pointer starts the task in a way that is not known here.
func Input(p pointer.Pointer, revision, given, token string, now time.Time) (*ecs.RunTaskInput, error) {
	var how settings
	if err := strictly(string(p.EcsParameters), &how); err != nil {
		return nil, fault.Misconfigured(fault.ErrPointerUnusable, fmt.Sprintf("reading the EcsParameters of %s", p),
			fmt.Errorf("the task cannot be run as they say: %w", err), "run it with aws ecs run-task, or with a "+
				"version of the deployer that knows them; to see them: "+p.Look())
	}
	in := &ecs.RunTaskInput{
		TaskDefinition: &revision, Cluster: &p.Cluster, Count: aws.Int32(1), ClientToken: &token,
		StartedBy: aws.String(StartedBy), CapacityProviderStrategy: how.CapacityProviderStrategy,
		EnableECSManagedTags: how.EnableECSManagedTags, EnableExecuteCommand: how.EnableExecuteCommand,
		Group: how.Group, LaunchType: how.LaunchType, NetworkConfiguration: how.NetworkConfiguration,
		PlacementConstraints: how.PlacementConstraints, PlacementStrategy: how.PlacementStrategy,
		PlatformVersion: how.PlatformVersion, PropagateTags: how.PropagateTags, ReferenceId: how.ReferenceId,
		Tags: how.Tags,
	}
	text := given
	if text == "" {
		text = p.Input
		if p.FromEvent() {
			return nil, fmt.Errorf("%s makes the input of the task from the event: give one", p)
		}
		text = placeholders(p, token, now).Replace(text)
	}
	if text == "" {
		return in, nil
	}
	overrides, err := overridesOf(text, given != "")
	if err != nil {
		if given == "" && p.Rule { // as of an event, nothing of it is an override
			return in, nil
		}
		return nil, fmt.Errorf("reading the input of the task, %s: %w", quote(text), err)
	}
	in.Overrides = &overrides
	return in, nil
}

// overridesOf reads the overrides of a task. What a person gave may have no other members: a mistyped one would be left
// out without a word.
func overridesOf(text string, strict bool) (o types.TaskOverride, err error) {
	if !json.Valid([]byte(text)) || !strict {
		return o, json.Unmarshal([]byte(text), &o)
	}
	return o, strictly(text, &o)
}

// strictly reads JSON. A member that is not known is an error.
func strictly(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// placeholders replaces what EventBridge Scheduler replaces in the input of a schedule
// ("Adding context attributes" in its user guide).
func placeholders(p pointer.Pointer, token string, now time.Time) *strings.Replacer {
	return strings.NewReplacer("<aws.scheduler.schedule-arn>", p.ARN,
		"<aws.scheduler.scheduled-time>", now.UTC().Format(time.RFC3339),
		"<aws.scheduler.execution-id>", token, "<aws.scheduler.attempt-number>", "1")
}

// maxQuoted is how many characters of an input errors show.
const maxQuoted = 200

func quote(text string) string {
	if len(text) > maxQuoted {
		text = text[:maxQuoted] + "…"
	}
	return fmt.Sprintf("%q", text)
}
