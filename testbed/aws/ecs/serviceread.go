package ecs

import (
	"maps"
	"slices"

	"deployer/testbed/aws/api"
)

// maxServices is how many services one call may describe (ECS API reference, "DescribeServices").
const maxServices = 10

type describeServicesInput struct {
	Cluster  string   `json:"cluster"`
	Services []string `json:"services"`
	Include  []string `json:"include"`
}

func (e *Server) describeServices(r *api.Request, in describeServicesInput) (any, *api.Error) {
	if len(in.Services) == 0 {
		return nil, api.InvalidParameter("Services cannot be empty.")
	}
	if len(in.Services) > maxServices {
		return nil, api.InvalidParameter("Services cannot have more than %d elements.", maxServices)
	}
	cluster, err := clusterName(r, in.Cluster)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, reference := range in.Services {
		name, err := serviceName(r, cluster, reference)
		if err != nil {
			return nil, err
		}
		if err := e.authorizeService(r, cluster, name, nil); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	described, failures := []api.Object{}, []api.Object{}
	for _, name := range names {
		s, ok := c.services[name]
		if !ok {
			failures = append(failures, api.Object{"arn": serviceARN(r.Scope(), cluster, name), "reason": "MISSING"})
			continue
		}
		e.advance(s)
		o := s.describe(slices.Contains(in.Include, "TAGS"))
		if len(s.history) > 0 { // CreateService and UpdateService do not return it
			o["currentServiceDeployment"] = s.history[0].arn()
		}
		described = append(described, o)
	}
	return api.Object{"services": described, "failures": failures}, nil
}

type listServicesInput struct {
	api.Paging
	Cluster string `json:"cluster"`
}

func (e *Server) listServices(r *api.Request, in listServicesInput) (any, *api.Error) {
	cluster, err := clusterName(r, in.Cluster)
	if err != nil {
		return nil, err
	}
	context := map[string]string{"ecs:cluster": clusterARN(r.Scope(), cluster)}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*", Context: context}); err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	arns := []string{}
	for _, name := range slices.Sorted(maps.Keys(c.services)) {
		s := c.services[name]
		if s.status == statusActive {
			arns = append(arns, s.arn())
		}
	}
	arns, next, err := api.Page(arns, in.Paging, 10, 100)
	if err != nil {
		return nil, err
	}
	return api.WithToken(api.Object{"serviceArns": arns}, next), nil
}
