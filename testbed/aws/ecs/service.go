package ecs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/testbed/aws/api"
)

// The deployment controllers of services.
const (
	controllerECS        = "ECS"
	controllerCodeDeploy = "CODE_DEPLOY"
	controllerExternal   = "EXTERNAL"
)

// A service is an ECS service.
type service struct {
	scope          api.Scope
	cluster        string
	name           string
	fields         map[string]json.RawMessage // as last sent, by their names in answers
	taskDefinition string                     // ARN
	controller     string
	desired        int
	status         string
	created        time.Time
	createdBy      string
	deployments    []*deployment // PRIMARY first, then from new to old
	completed      completion
	history        []*serviceDeployment // newest first
	events         []api.Object         // newest first
	stopped        []stoppedTask        // newest first
	stoppedCount   int                  // of all tasks that failed
	tags           []tag
}

// A completion is the last deployment that completed.
type completion struct{ deployment, taskDefinition, revision string }

// maxEvents is how many messages DescribeServices returns (ECS API reference, "Service").
const maxEvents = 100

func serviceARN(scope api.Scope, cluster, name string) string {
	return scope.ARN("ecs", "service/"+cluster+"/"+name)
}

func (s *service) arn() string { return serviceARN(s.scope, s.cluster, s.name) }

// serviceName returns the name of the service that a request refers to by name or ARN.
func serviceName(r *api.Request, cluster, reference string) (string, *api.Error) {
	if !strings.HasPrefix(reference, "arn:") {
		return reference, nil
	}
	service, owner, resource, _ := api.SplitARN(reference)
	id, ok := strings.CutPrefix(resource, "service/")
	if service != "ecs" || owner != r.Scope() || !ok {
		return "", api.InvalidParameter("Invalid identifier: %s", reference)
	}
	if of, name, long := strings.Cut(id, "/"); long {
		if of != cluster {
			return "", api.InvalidParameter("Identifier is for cluster %s. Your cluster is %s", of, cluster)
		}
		id = name
	}
	return id, nil
}

// addMessage adds a message to the service's events.
func (e *Server) addMessage(s *service, at time.Time, format string, args ...any) {
	s.events = slices.Insert(s.events, 0, api.Object{
		"id":        e.backend.NewUUID(),
		"createdAt": api.Timestamp(at),
		"message":   fmt.Sprintf("(service %s) ", s.name) + fmt.Sprintf(format, args...),
	})
	s.events = s.events[:min(len(s.events), maxEvents)]
}

// configuration returns the service's deployment configuration.
func (s *service) configuration() deploymentConfiguration {
	var c deploymentConfiguration
	json.Unmarshal(s.fields["deploymentConfiguration"], &c) // checked when it was sent
	return c
}

// serviceFields are the members of CreateService and UpdateService that DescribeServices returns under the same name,
// with their defaults.
var serviceFields = map[string]string{
	"availabilityZoneRebalancing": `"DISABLED"`,
	"capacityProviderStrategy":    ``,
	"deploymentConfiguration": `{"deploymentCircuitBreaker":{"enable":false,"rollback":false},` +
		`"maximumPercent":200,"minimumHealthyPercent":100,"strategy":"ROLLING","bakeTimeInMinutes":0}`,
	"deploymentController":          `{"type":"ECS"}`,
	"enableECSManagedTags":          `false`,
	"enableExecuteCommand":          `false`,
	"healthCheckGracePeriodSeconds": ``,
	"launchType":                    ``,
	"loadBalancers":                 `[]`,
	"networkConfiguration":          ``,
	"placementConstraints":          `[]`,
	"placementStrategy":             `[]`,
	"platformVersion":               ``,
	"propagateTags":                 `"NONE"`,
	"schedulingStrategy":            `"REPLICA"`,
	"serviceConnectConfiguration":   ``,
	"serviceRegistries":             `[]`,
	"volumeConfigurations":          ``,
}

// revisionFields are the members whose change starts a deployment (ECS API reference, "UpdateService").
var revisionFields = []string{
	"capacityProviderStrategy", "loadBalancers", "networkConfiguration", "platformVersion",
	"serviceConnectConfiguration", "serviceRegistries", "volumeConfigurations",
}

// deploymentOnly are the members that DescribeServices returns for deployments only.
var deploymentOnly = []string{"serviceConnectConfiguration", "volumeConfigurations"}

// setFields sets the members that a request sends. It reports whether the change starts a deployment.
func (s *service) setFields(r *api.Request) (changed bool, err *api.Error) {
	sent, err := api.Decode[map[string]json.RawMessage](r)
	if err != nil {
		return false, err
	}
	for name := range serviceFields {
		value, ok := sent[name]
		if !ok {
			continue
		}
		if slices.Contains(revisionFields, name) && !sameJSON(value, s.fields[name]) {
			changed = true
		}
		s.fields[name] = value
	}
	return changed, nil
}

// sameJSON reports whether two JSON texts have the same value.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return string(api.Encode(x)) == string(api.Encode(y))
}

// describe returns the service as every operation does, with its tags if asked for.
func (s *service) describe(withTags bool) api.Object {
	running, pending := 0, 0
	deployments, revisions := []api.Object{}, []api.Object{}
	for _, d := range s.deployments {
		running += d.running
		pending += d.pending
		deployments = append(deployments, d.describe(s))
		revisions = append(revisions, s.summary(d))
	}
	o := api.Object{
		"serviceArn":     s.arn(),
		"serviceName":    s.name,
		"clusterArn":     clusterARN(s.scope, s.cluster),
		"status":         s.status,
		"desiredCount":   s.desired,
		"runningCount":   running,
		"pendingCount":   pending,
		"taskDefinition": s.taskDefinition,
		"deployments":    deployments,

		"currentServiceRevisions": revisions,

		"events":    api.NonNil(s.events),
		"createdAt": api.Timestamp(s.created),
		"createdBy": s.createdBy,
		"roleArn": fmt.Sprintf("arn:%s:iam::%s:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
			api.Partition(s.scope.Region), s.scope.Account),
	}
	for name, value := range s.fields {
		if !slices.Contains(deploymentOnly, name) {
			o[name] = value
		}
	}
	if s.controller != controllerECS {
		o["taskSets"] = []api.Object{}
	}
	if withTags {
		o["tags"] = api.NonNil(s.tags)
	}
	return o
}
