package api

import (
	"encoding/json"
	"errors"

	"deployer/internal/iam"
)

// ParseResourcePolicy parses the policy of a resource. Unlike an identity policy, each of its statements must have a
// principal.
func ParseResourcePolicy(document []byte) (*iam.Document, error) {
	parsed, err := iam.Parse(document)
	if err != nil {
		return nil, err
	}
	type statement struct{ Principal, NotPrincipal json.RawMessage }
	var one struct{ Statement statement }
	var many struct{ Statement []statement }
	if json.Unmarshal(document, &many) != nil {
		if err := json.Unmarshal(document, &one); err != nil {
			return nil, err
		}
		many.Statement = []statement{one.Statement}
	}
	for _, s := range many.Statement {
		if s.Principal == nil && s.NotPrincipal == nil {
			return nil, errors.New("a statement has no principal")
		}
	}
	if len(many.Statement) == 0 {
		return nil, errors.New("it has no statement")
	}
	return parsed, nil
}
