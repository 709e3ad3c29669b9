package ecs

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"deployer/testbed/aws/api"
)

// taskARN returns the ARN of a deployment's task with the index.
func (s *service) taskARN(d *deployment, index int) string {
	id := sha256.Sum256(fmt.Appendf(nil, "%s/%d", d.id, index))
	return s.arnOf(fmt.Sprintf("task/%s/%x", s.cluster, id[:16]))
}

func (s *service) arnOf(resource string) string { return s.scope.ARN("ecs", resource) }

// maxTasks is how many tasks one call may list or describe (ECS API reference, "DescribeTasks").
const maxTasks = 100

type listTasksInput struct {
	api.Paging
	Cluster       string `json:"cluster"`
	Service       string `json:"serviceName"`
	StartedBy     string `json:"startedBy"`
	DesiredStatus string `json:"desiredStatus"`
}

// listTasks returns the running or the stopped tasks of one service.
//
// The only resource type of ListTasks is a container instance, so policies allow it on every resource and narrow it by
// the condition key ecs:cluster (Service Authorization Reference, "Actions defined by Amazon Elastic Container
// Service"). startedBy cannot be combined with another filter (ECS API reference, "ListTasks").
func (e *Server) listTasks(r *api.Request, in listTasksInput) (any, *api.Error) {
	if in.StartedBy != "" && (in.Service != "" || in.DesiredStatus != "") {
		return nil, api.InvalidParameter("startedBy must be the only filter.")
	}
	if !slices.Contains([]string{"", taskRunning, taskPending, taskStopped}, in.DesiredStatus) {
		return nil, api.InvalidParameter("Unknown desired status: %s", in.DesiredStatus)
	}
	s, err := e.serviceOfTasks(r, in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	arns := []string{}
	switch in.DesiredStatus {
	case "", taskRunning:
		for _, d := range s.deployments {
			for index := range d.running {
				arns = append(arns, s.taskARN(d, index))
			}
		}
	case taskStopped:
		for _, task := range e.stoppedTasks(s) {
			arns = append(arns, task.arn)
		}
	}
	arns, next, err := api.Page(arns, in.Paging, maxTasks, maxTasks)
	if err != nil {
		return nil, err
	}
	return api.WithToken(api.Object{"taskArns": arns}, next), nil
}

// serviceOfTasks checks that the caller may list tasks, and returns the service.
func (e *Server) serviceOfTasks(r *api.Request, clusterReference, serviceReference string) (*service, *api.Error) {
	name, err := clusterName(r, clusterReference)
	if err != nil {
		return nil, err
	}
	context := map[string]string{"ecs:cluster": clusterARN(r.Scope(), name)}
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*", Context: context}); err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, name)
	if err != nil {
		return nil, err
	}
	if serviceReference, err = serviceName(r, name, serviceReference); err != nil {
		return nil, err
	}
	s, ok := c.services[serviceReference]
	switch {
	case !ok:
		return nil, errServiceNotFound
	case s.status != statusActive:
		return nil, errServiceNotActive
	}
	e.advance(s)
	return s, nil
}

type describeTasksInput struct {
	Cluster string   `json:"cluster"`
	Tasks   []string `json:"tasks"`
}

func (e *Server) describeTasks(r *api.Request, in describeTasksInput) (any, *api.Error) {
	if len(in.Tasks) == 0 || len(in.Tasks) > maxTasks {
		return nil, api.InvalidParameter("There must be between 1 and %d tasks.", maxTasks)
	}
	cluster, err := clusterName(r, in.Cluster)
	if err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	known := map[string]api.Object{}
	e.advanceTasks(c)
	for _, t := range c.tasks {
		known[t.arn] = t.describe(timestamp)
	}
	for _, s := range c.services {
		e.advance(s)
		for _, d := range s.deployments {
			for index := range d.running {
				arn := s.taskARN(d, index)
				known[arn] = e.describeTask(s, d, arn)
			}
		}
		for _, task := range e.stoppedTasks(s) {
			known[task.arn] = task.describe(s)
		}
	}
	context := map[string]string{"ecs:cluster": clusterARN(r.Scope(), cluster)}
	tasks, failures := []api.Object{}, []api.Object{}
	for _, arn := range in.Tasks {
		if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn, Context: context}); err != nil {
			return nil, err
		}
		if task, ok := known[arn]; ok {
			tasks = append(tasks, task)
		} else {
			failures = append(failures, api.Object{"arn": arn, "reason": "MISSING"})
		}
	}
	return api.Object{"tasks": tasks, "failures": failures}, nil
}

func (e *Server) describeTask(s *service, d *deployment, arn string) api.Object {
	containers := []api.Object{}
	for _, image := range e.taskDefinition(s.scope, d.taskDefinition).images {
		container := api.Object{"image": image, "lastStatus": "RUNNING", "taskArn": arn}
		digest := d.digests[image]
		if digest != "" {
			container["imageDigest"] = digest
		}
		containers = append(containers, container)
	}
	return api.Object{
		"taskArn": arn, "clusterArn": clusterARN(s.scope, s.cluster), "taskDefinitionArn": d.taskDefinition,
		"group":     "service:" + s.name,
		"startedBy": d.id, "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "createdAt": api.Timestamp(d.created),
		"containers": containers,
	}
}

// imageDigests returns the digests that the image references of a task definition resolve to, for images in ECR.
func (e *Server) imageDigests(taskDefinition string) map[string]string {
	_, owner, _, _ := api.SplitARN(taskDefinition)
	digests := map[string]string{}
	for _, reference := range e.taskDefinition(owner, taskDefinition).images {
		digest := e.registries.Digest(reference)
		if digest != "" {
			digests[reference] = digest
		}
	}
	return digests
}
