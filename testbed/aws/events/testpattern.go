package events

import (
	"encoding/json"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/events/pattern"
)

type testEventPatternInput struct{ EventPattern, Event string }

func (e *Server) testEventPattern(r *api.Request, in testEventPatternInput) (any, *api.Error) {
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	p, err := pattern.Parse([]byte(in.EventPattern))
	if err != nil {
		return nil, invalidPattern(err)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(in.Event), &members) != nil {
		return nil, api.Validation("Parameter Event is not valid. Reason: Event is not valid JSON.")
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} {
		if _, ok := members[name]; !ok {
			return nil, api.Validation("Parameter Event is not valid. Reason: %s is a required argument.", name)
		}
	}
	matches, err := p.Match([]byte(in.Event))
	if err != nil {
		return nil, api.Validation("Parameter Event is not valid. Reason: %v", err)
	}
	return api.Object{"Result": matches}, nil
}
