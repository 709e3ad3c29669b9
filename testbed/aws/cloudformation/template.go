// Package cloudformation reads an AWS SAM or CloudFormation template as CloudFormation would when it makes a stack of
// it: parameters, conditions, intrinsic functions and the names and ARNs of resources. What it does not know is an
// error and never a guess, so that a template that loads means here what it means in AWS.
package cloudformation

import (
	"fmt"
	"maps"
	"slices"
)

// Parameters say of which stack the template is to be read.
type Parameters struct {
	// Account is a 12-digit id, Region one like us-east-1, Stack the stack's name. Partition may be empty for aws.
	Account, Region, Partition, Stack string
	// Values are the stack's parameters. One that is not here takes its default; a list is separated by commas.
	Values map[string]string
}

// Template is a template whose functions are resolved. It never changes after Load.
type Template struct {
	resources map[string]map[string]any
	outputs   map[string]string
	rules     []Rule
	policies  []BusPolicy
	queues    []Queue
	roles     []Role
	functions []Function

	queuePolicies []QueuePolicy
}

// sections are those that a template may have. Metadata is for tools and is not read.
var sections = []string{"AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Rules",
	"Conditions", "Resources", "Outputs"}

// Load reads a template in YAML or JSON for one stack. The error names the place in the template, and the value or
// function at fault; parameters that the template does not have or does not allow, and rules of the template that
// they break, are errors as they are in CloudFormation.
func Load(data []byte, p Parameters) (*Template, error) {
	t, err := load(data, p)
	if err != nil {
		return nil, fmt.Errorf("loading template for stack %q: %w", p.Stack, err)
	}
	return t, nil
}

func load(data []byte, p Parameters) (*Template, error) {
	document, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(document)) {
		if !slices.Contains(sections, name) {
			return nil, fmt.Errorf("section %q is not known here", name)
		}
	}
	r, err := newResolver(document, p)
	if err != nil {
		return nil, err
	}
	if err := r.checkRules(document["Rules"]); err != nil {
		return nil, err
	}
	t := &Template{resources: map[string]map[string]any{}}
	if err := t.resolveResources(r); err != nil {
		return nil, err
	}
	if t.outputs, err = resolveOutputs(r, document["Outputs"]); err != nil {
		return nil, err
	}
	if err := t.read(r); err != nil {
		return nil, err
	}
	return t, nil
}

// Resource returns a resource as the template has it, with Type, Properties and what else there is, and every function
// in it resolved. Numbers are of type [encoding/json.Number]. It returns nil for a resource that the template does not
// have or whose condition does not hold.
func (t *Template) Resource(logicalID string) map[string]any { return t.resources[logicalID] }

// Resources returns the logical ids of all resources of a type, or of all types for the empty string, in their order.
func (t *Template) Resources(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if kind == "" || t.resources[id]["Type"] == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// Outputs returns the values of the stack's outputs by their logical ids.
func (t *Template) Outputs() map[string]string { return maps.Clone(t.outputs) }

func (t *Template) resolveResources(r *resolver) error {
	for _, id := range slices.Sorted(maps.Keys(r.resources)) {
		exists, err := r.exists(id)
		if err != nil {
			return fmt.Errorf("resource %s: %w", id, err)
		}
		if !exists {
			continue
		}
		resource := map[string]any{}
		for name, value := range r.resources[id] {
			if name == "Condition" {
				continue
			}
			if resource[name], err = r.resolve(value); err != nil {
				return fmt.Errorf("resource %s: %s%w", id, name, err)
			}
		}
		t.resources[id] = resource
	}
	return nil
}

func resolveOutputs(r *resolver, section any) (map[string]string, error) {
	resolved := map[string]string{}
	outputs, err := objects("Outputs", section)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(outputs)) {
		output := outputs[id]
		holds, err := r.holds(output["Condition"])
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", id, err)
		}
		if !holds {
			continue
		}
		value, err := r.resolve(output["Value"])
		if err != nil {
			return nil, fmt.Errorf("output %s: Value%w", id, err)
		}
		s, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("output %s: Value is %s, not a string", id, describe(value))
		}
		resolved[id] = s
	}
	return resolved, nil
}

// objects returns a section as objects by their names.
func objects(name string, section any) (map[string]map[string]any, error) {
	if section == nil {
		return nil, nil
	}
	members, ok := section.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("section %s is %s, not an object", name, describe(section))
	}
	found := map[string]map[string]any{}
	for id, member := range members {
		if found[id], ok = member.(map[string]any); !ok {
			return nil, fmt.Errorf("section %s: %s is %s, not an object", name, id, describe(member))
		}
	}
	return found, nil
}
