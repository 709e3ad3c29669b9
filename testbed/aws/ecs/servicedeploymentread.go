package ecs

import (
	"slices"
	"strings"

	"deployer/testbed/aws/api"
)

// mostRecords is how many service deployments, or revisions, one call may describe.
const mostRecords = 20

type listServiceDeploymentsInput struct {
	api.Paging
	Cluster   string   `json:"cluster"`
	Service   string   `json:"service"`
	Status    []string `json:"status"`
	CreatedAt struct {
		After  *float64 `json:"after"`
		Before *float64 `json:"before"`
	} `json:"createdAt"`
}

func (e *Server) listServiceDeployments(r *api.Request, in listServiceDeploymentsInput) (any, *api.Error) {
	s, err := e.findService(r, in.Cluster, in.Service, nil)
	if err != nil {
		return nil, err
	}
	found := []api.Object{}
	for _, d := range s.history {
		created := float64(d.created.UnixMilli()) / 1000
		switch {
		case len(in.Status) > 0 && !slices.Contains(in.Status, d.status):
		case in.CreatedAt.After != nil && created < *in.CreatedAt.After:
		case in.CreatedAt.Before != nil && created > *in.CreatedAt.Before:
		default:
			found = append(found, d.brief())
		}
	}
	found, next, err := api.Page(found, in.Paging, mostRecords, 100)
	if err != nil {
		return nil, err
	}
	return api.WithToken(api.Object{"serviceDeployments": found}, next), nil
}

// ownedService asks for leave for the request's action on the ARN of something that a
// service has, of a kind such as "service-deployment", and on the service itself, as
// both are among the action's resources. It returns the service brought up to date, or
// nil where there is none.
func (e *Server) ownedService(r *api.Request, kind, arn string) (*service, *api.Error) {
	service, key, resource, ok := api.SplitARN(arn)
	parts := strings.Split(resource, "/")
	if !ok || service != "ecs" || len(parts) != 4 || parts[0] != kind {
		return nil, api.InvalidParameter("Invalid identifier: %s", arn)
	}
	context := map[string]string{"ecs:cluster": clusterARN(key, parts[1])}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: serviceARN(key, parts[1], parts[2]),
		Context: context}); err != nil {
		return nil, err
	}
	context = map[string]string{"ecs:cluster": clusterARN(key, parts[1]), "ecs:service": serviceARN(key, parts[1],
		parts[2])}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn, Context: context}); err != nil {
		return nil, err
	}
	c := e.account(key).clusters[parts[1]]
	if c == nil || c.services[parts[2]] == nil || key != r.Scope() {
		return nil, nil
	}
	e.advance(c.services[parts[2]])
	return c.services[parts[2]], nil
}

// record returns the service deployment with the ARN, or nil.
func (s *service) record(arn string) *serviceDeployment {
	if s != nil {
		for _, d := range s.history {
			if d.arn() == arn {
				return d
			}
		}
	}
	return nil
}

type describeServiceDeploymentsInput struct {
	ARNs []string `json:"serviceDeploymentArns"`
}

func (e *Server) describeServiceDeployments(r *api.Request, in describeServiceDeploymentsInput) (any, *api.Error) {
	described, failures, err := e.describeOwned(r, "service-deployment", in.ARNs,
		func(s *service, arn string) api.Object {
			if d := s.record(arn); d != nil {
				return d.describe()
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	return api.Object{"serviceDeployments": described, "failures": failures}, nil
}

// describeOwned describes what services have, by its ARNs; what there is not is missing.
func (e *Server) describeOwned(r *api.Request, kind string, arns []string, describe func(*service,
	string) api.Object) (described, failures []api.Object, err *api.Error) {
	described, failures = []api.Object{}, []api.Object{}
	if len(arns) == 0 || len(arns) > mostRecords {
		return nil, nil, api.InvalidParameter("There must be between 1 and %d ARNs.", mostRecords)
	}
	for _, arn := range arns {
		s, err := e.ownedService(r, kind, arn)
		if err != nil {
			return nil, nil, err
		}
		if o := describe(s, arn); o != nil {
			described = append(described, o)
		} else {
			failures = append(failures, api.Object{"arn": arn, "reason": "MISSING"})
		}
	}
	return described, failures, nil
}
