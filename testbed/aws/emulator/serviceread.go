package emulator

import (
	"maps"
	"slices"
)

// mostServices is how many services one DescribeServices may ask for.
const mostServices = 10

type describeServicesInput struct {
	Cluster  string   `json:"cluster"`
	Services []string `json:"services"`
	Include  []string `json:"include"`
}

func (e *Emulator) describeServices(r *request, in describeServicesInput) (any, *Error) {
	if len(in.Services) == 0 {
		return nil, errInvalidParameter("Services cannot be empty.")
	}
	if len(in.Services) > mostServices {
		return nil, errInvalidParameter("Services cannot have more than %d elements.", mostServices)
	}
	cluster, err := r.clusterName(in.Cluster)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, reference := range in.Services {
		name, err := r.serviceName(cluster, reference)
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
	described, failures := []object{}, []object{}
	for _, name := range names {
		s, ok := c.services[name]
		if !ok {
			failures = append(failures, object{"arn": r.key().serviceARN(cluster, name), "reason": "MISSING"})
			continue
		}
		e.advance(s)
		o := s.describe(slices.Contains(in.Include, "TAGS"))
		if len(s.history) > 0 { // CreateService and UpdateService answer before there is one
			o["currentServiceDeployment"] = s.history[0].arn()
		}
		described = append(described, o)
	}
	return object{"services": described, "failures": failures}, nil
}

type listServicesInput struct {
	paging
	Cluster string `json:"cluster"`
}

func (e *Emulator) listServices(r *request, in listServicesInput) (any, *Error) {
	cluster, err := r.clusterName(in.Cluster)
	if err != nil {
		return nil, err
	}
	context := map[string]string{"ecs:cluster": r.key().clusterARN(cluster)}
	if err := e.authorize(r, access{action: r.name(), resource: "*", context: context}); err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	arns := []string{}
	for _, name := range slices.Sorted(maps.Keys(c.services)) {
		if s := c.services[name]; s.status == statusActive {
			arns = append(arns, s.arn())
		}
	}
	arns, next, err := page(arns, in.paging, 10, 100)
	if err != nil {
		return nil, err
	}
	return withToken(object{"serviceArns": arns}, next), nil
}
