// Package cloudformation reads an AWS SAM or CloudFormation template as CloudFormation does when it creates a stack
// (CloudFormation user guide, "Template reference"): parameters, rules, conditions, intrinsic functions, and the names
// and ARNs of resources. What it does not support is an error, so a template that loads means the same as in AWS.
package cloudformation

import (
	"fmt"
	"maps"
	"slices"
)

// Parameters are the stack that a template is read for.
type Parameters struct {
	// Account is the account id and Stack the name of the stack. The default of Partition is "aws".
	Account, Region, Partition, Stack string
	// Values are the stack's parameters. The elements of a list are separated by commas. The template has defaults.
	Values map[string]string
}

// Template is a template with its functions resolved. It never changes.
type Template struct {
	stack     string
	names     []string
	resources map[string]map[string]any
	outputs   map[string]string
	rules     []Rule
	policies  []BusPolicy
	queues    []Queue
	roles     []Role
	functions []Function

	queuePolicies  []QueuePolicy
	repositories   []Repository
	scheduleGroups []string
}

// sections are the supported sections. Metadata is for tools and not read.
var sections = []string{"AWSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Rules",
	"Conditions", "Resources", "Outputs"}

// Load reads a template in YAML or JSON for one stack. An error names the place in the template and the value or the
// function. As in CloudFormation, a parameter is an error if the template does not have it, or if its constraints or
// rules do not allow the value.
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
			return nil, fmt.Errorf("section %q is not supported", name)
		}
	}
	r, err := newResolver(document, p)
	if err != nil {
		return nil, err
	}
	if err := r.checkRules(document["Rules"]); err != nil {
		return nil, err
	}
	t := &Template{stack: p.Stack, resources: map[string]map[string]any{}}
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

// Resource returns a resource with Type, Properties and its other members. Numbers are of type [encoding/json.Number].
// It returns nil for a resource that the stack does not have.
func (t *Template) Resource(logicalID string) map[string]any { return t.resources[logicalID] }

// Resources returns the sorted logical ids of the resources of a type, or of all types for "".
func (t *Template) Resources(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if kind == "" || t.resources[id]["Type"] == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// Outputs returns the values of the stack's outputs by logical id.
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

// objects returns the members of a section, which must be objects.
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
