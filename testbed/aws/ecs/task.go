package ecs

import (
	"crypto/sha256"
	"fmt"

	"deployer/testbed/aws/api"
)

// taskARN returns the ARN of a deployment's task with the index.
func (s *service) taskARN(d *deployment, index int) string {
	id := sha256.Sum256(fmt.Appendf(nil, "%s/%d", d.id, index))
	return s.arnOf(fmt.Sprintf("task/%s/%x", s.cluster, id[:16]))
}

func (s *service) arnOf(resource string) string { return s.scope.ARN("ecs", resource) }

type listTasksInput struct {
	api.Paging
	Cluster string `json:"cluster"`
	Service string `json:"serviceName"`
}

// listTasks returns the running tasks of one service.
func (e *Server) listTasks(r *api.Request, in listTasksInput) (any, *api.Error) {
	s, err := e.openService(r, in.Cluster, in.Service, nil)
	if err != nil {
		return nil, err
	}
	arns := []string{}
	for _, d := range s.deployments {
		for index := range d.running {
			arns = append(arns, s.taskARN(d, index))
		}
	}
	arns, next, err := api.Page(arns, in.Paging, 100, 100)
	if err != nil {
		return nil, err
	}
	return api.WithToken(api.Object{"taskArns": arns}, next), nil
}

type describeTasksInput struct {
	Cluster string   `json:"cluster"`
	Tasks   []string `json:"tasks"`
}

func (e *Server) describeTasks(r *api.Request, in describeTasksInput) (any, *api.Error) {
	cluster, err := clusterName(r, in.Cluster)
	if err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	known := map[string]api.Object{}
	for _, s := range c.services {
		e.advance(s)
		for _, d := range s.deployments {
			for index := range d.running {
				arn := s.taskARN(d, index)
				known[arn] = e.describeTask(s, d, arn)
			}
		}
	}
	tasks, failures := []api.Object{}, []api.Object{}
	for _, arn := range in.Tasks {
		if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn}); err != nil {
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
