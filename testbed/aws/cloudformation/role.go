package cloudformation

import (
	"errors"
	"fmt"

	"deployer/internal/iam"
)

// What a role's inline policies and a managed policy may have in characters, and how many managed policies a role may
// have by default (IAM user guide, "IAM and AWS STS quotas"). White space does not count.
const maxInline, maxManaged, maxAttached = 10240, 6144, 10

// readRole returns a role with the documents of its policies. The managed ones have to be in the template.
func (t *Template) readRole(r *resolver, id string, properties map[string]any) (Role, error) {
	_, name, identity, err := r.identify(id)
	if err != nil {
		return Role{}, err
	}
	if properties["PermissionsBoundary"] != nil {
		return Role{}, errors.New("permissions boundaries are not supported")
	}
	role := Role{LogicalID: id, Name: name, ARN: roleARN(r, name, identity)}
	inline, _ := properties["Policies"].([]any)
	size := 0
	for _, element := range inline {
		members, _ := element.(map[string]any)
		document, n, err := readPolicy(members["PolicyDocument"])
		if err != nil {
			return Role{}, fmt.Errorf("policy %v: %w", members["PolicyName"], err)
		}
		size += n
		role.Policies = append(role.Policies, document)
	}
	if size > maxInline {
		return Role{}, fmt.Errorf("its policies have %d characters, at most %d", size, maxInline)
	}
	attached, _ := properties["ManagedPolicyArns"].([]any)
	if len(attached) > maxAttached {
		return Role{}, fmt.Errorf("it has %d managed policies, at most %d", len(attached), maxAttached)
	}
	for _, arn := range attached {
		document, err := t.managedPolicy(r, arn)
		if err != nil {
			return Role{}, err
		}
		role.Policies = append(role.Policies, document)
	}
	return role, nil
}

// managedPolicy returns the document of the template's managed policy with an ARN.
func (t *Template) managedPolicy(r *resolver, arn any) (*iam.Document, error) {
	for _, id := range t.Resources("AWS::IAM::ManagedPolicy") {
		if ref, err := r.ref(id); err != nil || ref != arn {
			continue
		}
		properties, _ := t.resources[id]["Properties"].(map[string]any)
		document, _, err := readPolicy(properties["PolicyDocument"])
		return document, err
	}
	return nil, fmt.Errorf("the managed policy %v is not in the template: others are not supported", arn)
}

// checkManagedPolicy returns an error for a managed policy that IAM does not accept, or that a role would not name.
func (r *resolver) checkManagedPolicy(properties map[string]any) error {
	for _, property := range []string{"Roles", "Users", "Groups"} {
		if properties[property] != nil {
			return fmt.Errorf("property %s is not supported: write the policy into the ManagedPolicyArns of a role",
				property)
		}
	}
	_, size, err := readPolicy(properties["PolicyDocument"])
	if err == nil && size > maxManaged {
		err = fmt.Errorf("the policy has %d characters, at most %d", size, maxManaged)
	}
	return err
}

// readPolicy returns a policy and its number of characters without white space between its parts.
func readPolicy(value any) (*iam.Document, int, error) {
	text, err := marshal(value)
	if err != nil {
		return nil, 0, err
	}
	document, err := iam.Parse(text)
	return document, len(text), err
}
