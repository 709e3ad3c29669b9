package deploy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"deployer/testbed/aws/cloudformation"
)

// TestEventConditions checks each condition on the source or the detail-type of events.
// Both keys are lists to IAM ("events:source" in the service authorization reference is an
// ArrayOfString): StringEquals does not compare lists, and ForAllValues holds for an empty
// one, unless Null excludes it.
func TestEventConditions(t *testing.T) {
	t.Parallel()
	for _, stack := range slices.Sorted(maps.Keys(stacks)) {
		loaded := load(t, stack)
		conditions := eventConditions(loaded)
		if len(conditions) == 0 {
			t.Errorf("%s: no condition is found", stack)
		}
		for _, c := range conditions {
			for operator, keys := range c {
				for key := range keys {
					if !slices.Contains([]string{"events:source", "events:detail-type"}, key) {
						continue
					}
					if operator != "ForAllValues:StringEquals" && operator != "Null" {
						t.Errorf("%s: %s has %s, want ForAllValues:StringEquals", stack, key, operator)
					}
					if c["Null"][key] != "false" {
						t.Errorf("%s: Null of %s is %q, want \"false\"", stack, key, c["Null"][key])
					}
				}
			}
		}
	}
}

// eventConditions returns the conditions of a stack that have a key of EventBridge: values
// by operator and key.
func eventConditions(loaded *cloudformation.Template) (all []map[string]map[string]string) {
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			condition, ok := v["Condition"].(map[string]any)
			if ok && strings.Contains(fmt.Sprint(condition), "events:") {
				c := map[string]map[string]string{}
				for operator, keys := range condition {
					c[operator] = map[string]string{}
					for key, value := range keys.(map[string]any) {
						c[operator][key] = fmt.Sprint(value)
					}
				}
				all = append(all, c)
			}
			for _, one := range v {
				walk(one)
			}
		case []any:
			for _, one := range v {
				walk(one)
			}
		}
	}
	for _, kind := range []string{"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::Events::EventBusPolicy"} {
		for _, id := range loaded.Resources(kind) {
			walk(loaded.Resource(id)["Properties"])
		}
	}
	return all
}
