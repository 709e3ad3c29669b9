package ecs

import (
	"slices"
	"strings"

	"deployer/testbed/aws/api"
)

// maxRecords is how many service deployments one call may list or describe (ECS API reference,
// "DescribeServiceDeployments").
const maxRecords = 20

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
	found, next, err := api.Page(found, in.Paging, maxRecords, 100)
	if err != nil {
		return nil, err
	}
	return api.WithToken(api.Object{"serviceDeployments": found}, next), nil
}

// findServiceDeployment checks that the caller may carry out the operation on the service deployment with the ARN and
// on its service, which are both resources of the operation. It returns the service deployment, with its service
// advanced to the clock's time; nil if there is none.
func (e *Server) findServiceDeployment(r *api.Request, arn string) (*serviceDeployment, *api.Error) {
	kind, scope, resource, ok := api.SplitARN(arn)
	parts := strings.Split(resource, "/")
	if !ok || kind != "ecs" || len(parts) != 4 || parts[0] != "service-deployment" {
		return nil, api.InvalidParameter("Invalid identifier: %s", arn)
	}
	cluster, service := clusterARN(scope, parts[1]), serviceARN(scope, parts[1], parts[2])
	context := map[string]string{"ecs:cluster": cluster}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: service, Context: context}); err != nil {
		return nil, err
	}
	context = map[string]string{"ecs:cluster": cluster, "ecs:service": service}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn, Context: context}); err != nil {
		return nil, err
	}
	c := e.account(scope).clusters[parts[1]]
	if c == nil || c.services[parts[2]] == nil || scope != r.Scope() {
		return nil, nil
	}
	s := c.services[parts[2]]
	e.advance(s)
	for _, d := range s.history {
		if d.arn() == arn {
			return d, nil
		}
	}
	return nil, nil
}

type describeServiceDeploymentsInput struct {
	ARNs []string `json:"serviceDeploymentArns"`
}

func (e *Server) describeServiceDeployments(r *api.Request, in describeServiceDeploymentsInput) (any, *api.Error) {
	if len(in.ARNs) == 0 || len(in.ARNs) > maxRecords {
		return nil, api.InvalidParameter("There must be between 1 and %d ARNs.", maxRecords)
	}
	described, failures := []api.Object{}, []api.Object{}
	for _, arn := range in.ARNs {
		d, err := e.findServiceDeployment(r, arn)
		switch {
		case err != nil:
			return nil, err
		case d == nil:
			failures = append(failures, api.Object{"arn": arn, "reason": "MISSING"})
		default:
			described = append(described, d.describe())
		}
	}
	return api.Object{"serviceDeployments": described, "failures": failures}, nil
}
