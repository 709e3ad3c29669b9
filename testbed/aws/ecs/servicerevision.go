package ecs

import (
	"strings"

	"deployer/testbed/aws/api"
)

type describeServiceRevisionsInput struct {
	ARNs []string `json:"serviceRevisionArns"`
}

// describeServiceRevisions returns service revisions, each with its task definition. A rollback has no service revision
// of its own: it uses the one that it rolls back to. It is authorized on each service revision (service authorization
// reference, "DescribeServiceRevisions").
func (e *Server) describeServiceRevisions(r *api.Request, in describeServiceRevisionsInput) (any, *api.Error) {
	if len(in.ARNs) == 0 || len(in.ARNs) > maxRecords {
		return nil, api.InvalidParameter("There must be between 1 and %d ARNs.", maxRecords)
	}
	described, failures := []api.Object{}, []api.Object{}
	for _, arn := range in.ARNs {
		s, number, err := e.findServiceRevision(r, arn)
		if err != nil {
			return nil, err
		}
		missing := true
		if s != nil {
			for _, d := range s.history {
				if d.target.revision == number {
					described = append(described, api.Object{"serviceRevisionArn": arn, "serviceArn": s.arn(),
						"clusterArn": clusterARN(s.scope, s.cluster), "taskDefinition": d.target.taskDefinition,
						"createdAt": api.Timestamp(d.created)})
					missing = false
					break
				}
			}
		}
		if missing {
			failures = append(failures, api.Object{"arn": arn, "reason": "MISSING"})
		}
	}
	return api.Object{"serviceRevisions": described, "failures": failures}, nil
}

// findServiceRevision checks that the caller may carry out the operation on the service revision with the ARN, and
// returns its service and its number. The service is nil if there is none.
func (e *Server) findServiceRevision(r *api.Request, arn string) (s *service, number string, err *api.Error) {
	kind, scope, resource, ok := api.SplitARN(arn)
	parts := strings.Split(resource, "/")
	if !ok || kind != "ecs" || len(parts) != 4 || parts[0] != "service-revision" {
		return nil, "", api.InvalidParameter("Invalid identifier: %s", arn)
	}
	context := map[string]string{
		"ecs:cluster": clusterARN(scope, parts[1]), "ecs:service": serviceARN(scope, parts[1], parts[2]),
	}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn, Context: context}); err != nil {
		return nil, "", err
	}
	c := e.account(scope).clusters[parts[1]]
	if c == nil || c.services[parts[2]] == nil || scope != r.Scope() {
		return nil, "", nil
	}
	s = c.services[parts[2]]
	e.advance(s)
	return s, parts[3], nil
}
