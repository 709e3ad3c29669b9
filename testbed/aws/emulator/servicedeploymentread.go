package emulator

import (
	"slices"
	"strings"
)

// mostRecords is how many service deployments, or revisions, one call may describe.
const mostRecords = 20

type listServiceDeploymentsInput struct {
	paging
	Cluster   string   `json:"cluster"`
	Service   string   `json:"service"`
	Status    []string `json:"status"`
	CreatedAt struct {
		After  *float64 `json:"after"`
		Before *float64 `json:"before"`
	} `json:"createdAt"`
}

func (e *Emulator) listServiceDeployments(r *request, in listServiceDeploymentsInput) (any, *Error) {
	s, err := e.findService(r, in.Cluster, in.Service, nil)
	if err != nil {
		return nil, err
	}
	found := []object{}
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
	found, next, err := page(found, in.paging, mostRecords, 100)
	if err != nil {
		return nil, err
	}
	return withToken(object{"serviceDeployments": found}, next), nil
}

// ownedService asks for leave for the request's action on the ARN of something that a
// service has, of a kind such as "service-deployment", and on the service itself, as
// both are among the action's resources. It returns the service brought up to date, or
// nil where there is none.
func (e *Emulator) ownedService(r *request, kind, arn string) (*service, *Error) {
	service, key, resource, ok := splitARN(arn)
	parts := strings.Split(resource, "/")
	if !ok || service != "ecs" || len(parts) != 4 || parts[0] != kind {
		return nil, errInvalidParameter("Invalid identifier: %s", arn)
	}
	context := map[string]string{"ecs:cluster": key.clusterARN(parts[1])}
	if err := e.authorize(r, access{action: r.name(), resource: key.serviceARN(parts[1], parts[2]), context: context}); err != nil {
		return nil, err
	}
	context = map[string]string{"ecs:cluster": key.clusterARN(parts[1]), "ecs:service": key.serviceARN(parts[1], parts[2])}
	if err := e.authorize(r, access{action: r.name(), resource: arn, context: context}); err != nil {
		return nil, err
	}
	c := e.scope(key.account, key.region).clusters[parts[1]]
	if c == nil || c.services[parts[2]] == nil || key != r.key() {
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

func (e *Emulator) describeServiceDeployments(r *request, in describeServiceDeploymentsInput) (any, *Error) {
	described, failures, err := e.describeOwned(r, "service-deployment", in.ARNs, func(s *service, arn string) object {
		if d := s.record(arn); d != nil {
			return d.describe()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return object{"serviceDeployments": described, "failures": failures}, nil
}

type describeServiceRevisionsInput struct {
	ARNs []string `json:"serviceRevisionArns"`
}

func (e *Emulator) describeServiceRevisions(r *request, in describeServiceRevisionsInput) (any, *Error) {
	described, failures, err := e.describeOwned(r, "service-revision", in.ARNs, e.describeRevision)
	if err != nil {
		return nil, err
	}
	return object{"serviceRevisions": described, "failures": failures}, nil
}

// describeOwned describes what services have, by its ARNs; what there is not is missing.
func (e *Emulator) describeOwned(r *request, kind string, arns []string, describe func(*service, string) object) (described, failures []object, err *Error) {
	described, failures = []object{}, []object{}
	if len(arns) == 0 || len(arns) > mostRecords {
		return nil, nil, errInvalidParameter("There must be between 1 and %d ARNs.", mostRecords)
	}
	for _, arn := range arns {
		s, err := e.ownedService(r, kind, arn)
		if err != nil {
			return nil, nil, err
		}
		if o := describe(s, arn); o != nil {
			described = append(described, o)
		} else {
			failures = append(failures, object{"arn": arn, "reason": "MISSING"})
		}
	}
	return described, failures, nil
}

// describeRevision describes the revision of a service with the ARN; nil if there is
// none. The service's present settings stand for those that it had.
func (e *Emulator) describeRevision(s *service, arn string) object {
	if s == nil {
		return nil
	}
	i := slices.IndexFunc(s.history, func(d *serviceDeployment) bool { return s.revisionARN(d.target.revision) == arn })
	if i < 0 {
		return nil
	}
	d := s.history[i].target
	images := []object{}
	for _, c := range e.referredTaskDefinition(s.scopeKey, d.taskDefinition).containers {
		image := object{"containerName": c.Name, "image": c.Image}
		if digest := d.digests[c.Image]; digest != "" {
			image["imageDigest"] = digest
		}
		images = append(images, image)
	}
	o := object{
		"serviceRevisionArn": arn, "serviceArn": s.arn(), "clusterArn": s.clusterARN(s.cluster), "taskDefinition": d.taskDefinition,
		"createdAt": timestamp(d.created), "containerImages": images,
	}
	for _, name := range []string{"capacityProviderStrategy", "launchType", "loadBalancers", "networkConfiguration", "platformVersion", "serviceRegistries"} {
		if value, ok := s.fields[name]; ok {
			o[name] = value
		}
	}
	return o
}
