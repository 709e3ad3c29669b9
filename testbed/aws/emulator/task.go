package emulator

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// taskARN is the ARN of one of a deployment's tasks, by its place among them.
func (s *service) taskARN(d *deployment, place int) string {
	id := sha256.Sum256(fmt.Appendf(nil, "%s/%d", d.id, place))
	return s.arnOf(fmt.Sprintf("task/%s/%x", s.cluster, id[:16]))
}

func (s *service) arnOf(resource string) string { return s.scopeKey.arn("ecs", resource) }

type listTasksInput struct {
	paging
	Cluster string `json:"cluster"`
	Service string `json:"serviceName"`
}

// listTasks lists the tasks of one service that run.
func (e *Emulator) listTasks(r *request, in listTasksInput) (any, *Error) {
	s, err := e.openService(r, in.Cluster, in.Service, nil)
	if err != nil {
		return nil, err
	}
	arns := []string{}
	for _, d := range s.deployments {
		for place := range d.running {
			arns = append(arns, s.taskARN(d, place))
		}
	}
	arns, next, err := page(arns, in.paging, 100, 100)
	if err != nil {
		return nil, err
	}
	return withToken(object{"taskArns": arns}, next), nil
}

type describeTasksInput struct {
	Cluster string   `json:"cluster"`
	Tasks   []string `json:"tasks"`
}

func (e *Emulator) describeTasks(r *request, in describeTasksInput) (any, *Error) {
	cluster, err := r.clusterName(in.Cluster)
	if err != nil {
		return nil, err
	}
	c, err := e.findCluster(r, cluster)
	if err != nil {
		return nil, err
	}
	known := map[string]object{}
	for _, s := range c.services {
		e.advance(s)
		for _, d := range s.deployments {
			for place := range d.running {
				arn := s.taskARN(d, place)
				known[arn] = e.describeTask(s, d, arn)
			}
		}
	}
	tasks, failures := []object{}, []object{}
	for _, arn := range in.Tasks {
		if err := e.authorize(r, access{action: r.name(), resource: arn}); err != nil {
			return nil, err
		}
		if task, ok := known[arn]; ok {
			tasks = append(tasks, task)
		} else {
			failures = append(failures, object{"arn": arn, "reason": "MISSING"})
		}
	}
	return object{"tasks": tasks, "failures": failures}, nil
}

func (e *Emulator) describeTask(s *service, d *deployment, arn string) object {
	containers := []object{}
	for _, image := range e.referredTaskDefinition(s.scopeKey, d.taskDefinition).images {
		container := object{"image": image, "lastStatus": "RUNNING", "taskArn": arn}
		if digest := d.digests[image]; digest != "" {
			container["imageDigest"] = digest
		}
		containers = append(containers, container)
	}
	return object{
		"taskArn": arn, "clusterArn": s.clusterARN(s.cluster), "taskDefinitionArn": d.taskDefinition, "group": "service:" + s.name,
		"startedBy": d.id, "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "createdAt": timestamp(d.created), "containers": containers,
	}
}

// pulled returns the digests that the images of a task definition are on now, as
// far as they are in the emulator's registries.
func (e *Emulator) pulled(taskDefinition string) map[string]string {
	_, key, _, _ := splitARN(taskDefinition)
	digests := map[string]string{}
	for _, reference := range e.referredTaskDefinition(key, taskDefinition).images {
		if i := e.imageOf(reference); i != nil {
			digests[reference] = i.digest
		}
	}
	return digests
}

// imageOf returns the image that a reference is on in the emulator's registries, or nil.
func (e *Emulator) imageOf(reference string) *image {
	host, rest, _ := strings.Cut(reference, "/")
	key, ok := parseRegistryHost(host)
	if !ok {
		return nil
	}
	rest, digest, byDigest := strings.Cut(rest, "@")
	name, tag, tagged := strings.Cut(rest, ":")
	repo := e.findRepository(key, name)
	switch {
	case repo == nil:
		return nil
	case byDigest:
		return repo.byDigest(digest)
	case !tagged:
		tag = "latest"
	}
	return repo.byTag(tag)
}
