package iam

import "encoding/json"

// Grant is a statement that allows actions: in an identity's policy, with a Resource, or
// in a resource's policy, with a Principal.
type Grant struct {
	Effect    string            // Allow
	Principal map[string]string `json:",omitempty"` // such as AWS and an account root's ARN
	Action    []string
	Resource  string `json:",omitempty"`
}

// Identity returns the statement that allows actions on a resource, for an identity's policy.
func Identity(resource string, actions ...string) Grant {
	return Grant{Effect: "Allow", Action: actions, Resource: resource}
}

// Resource returns the statement that allows actions to an account, for a resource's policy.
func Resource(partition, account string, actions ...string) Grant {
	return Grant{Effect: "Allow", Principal: map[string]string{"AWS": "arn:" + partition + ":iam::" + account +
		":root"}, Action: actions}
}

// String returns the statement as JSON, with its elements in the usual order.
func (g Grant) String() string {
	b, _ := json.Marshal(g) // strings and lists of them always encode
	return string(b)
}
