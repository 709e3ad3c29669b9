package ssm

import (
	"cmp"
	"slices"

	"deployer/testbed/aws/api"
)

type describeParametersInput struct {
	ParameterFilters []struct {
		Key, Option string
		Values      []string
	}
}

// describeParameters returns what parameters are, without their values. The only filter that is emulated is by names.
func (s *Server) describeParameters(r *api.Request, in describeParametersInput) (any, *api.Error) {
	// The action has no resource type (Service Authorization Reference, "Actions defined by AWS Systems Manager").
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	found := []api.Object{}
	for _, p := range s.parameters[r.Scope()] {
		for _, f := range in.ParameterFilters {
			if f.Key != "Name" || cmp.Or(f.Option, "Equals") != "Equals" {
				return nil, api.NewError("InvalidFilterKey", "The specified key isn't valid.")
			}
			if !slices.Contains(f.Values, p.name) {
				p = nil
				break
			}
		}
		if p != nil {
			found = append(found, api.Object{"Name": p.name, "ARN": parameterARN(r.Scope(), p.name),
				"Type": "SecureString", "Version": p.version, "LastModifiedDate": api.Timestamp(p.modified),
				"DataType": "text", "Tier": "Standard",
				// As the parameter's writer named it (SSM API reference, "ParameterMetadata").
				"KeyId": cmp.Or(p.key, "alias/aws/ssm")})
		}
	}
	return api.Object{"Parameters": found}, nil
}
