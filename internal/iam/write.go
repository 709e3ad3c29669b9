package iam

import "encoding/json"

// Grant is a statement that somebody has to add to a policy: of an identity, with
// a Resource, or of a resource, with a Principal.
type Grant struct {
	Effect    string            // Allow
	Principal map[string]string `json:",omitempty"` // such as AWS and an account root's ARN
	Action    []string
	Resource  string `json:",omitempty"`
}

// Identity returns the grant that a caller's own policy lacks for actions on a resource.
func Identity(resource string, actions ...string) Grant {
	return Grant{Effect: "Allow", Action: actions, Resource: resource}
}

// Resource returns the grant that a resource's policy lacks for an account.
func Resource(partition, account string, actions ...string) Grant {
	return Grant{Effect: "Allow", Principal: map[string]string{"AWS": "arn:" + partition + ":iam::" + account + ":root"}, Action: actions}
}

// String returns the statement as JSON to paste, with its elements in the order
// that people write them in.
func (g Grant) String() string {
	b, _ := json.Marshal(g) // strings and lists of them always encode
	return string(b)
}
