package doctor

import (
	"encoding/json"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// event is one that a rule should match.
type event struct {
	name                                string // for people
	detailType, source, account, region string
	resources                           []string
	detail                              map[string]any
}

func (e event) String() string {
	resources := e.resources
	if resources == nil {
		resources = []string{}
	}
	b, _ := json.Marshal(map[string]any{ // maps of strings always encode
		"version": "0", "id": "00000000-0000-0000-0000-000000000000", "detail-type": e.detailType, "source": e.source,
		"account": e.account, "time": "2026-01-01T00:00:00Z", "region": e.region, "resources": resources,
		"detail": e.detail})
	return string(b)
}

// withoutProject ends the name of a DEPLOY event that does not name its project.
const withoutProject = " without a project"

// deployEvent returns a DEPLOY event of a source.
func deployEvent(env *environment.Environment, source string, detail map[string]any) event {
	name := "DEPLOY events of " + source
	if detail["project"] == nil {
		name += withoutProject
	}
	return event{name, "DEPLOY", source, env.AccountID, env.Region, nil, detail}
}

// pushEvents returns a push for each registry whose pushes can deploy a workload, and
// there for conventional names of repositories and for others; none if no push deploys.
func pushEvents(env *environment.Environment) (events []event) {
	type kind struct {
		registry     image.Registry
		conventional bool
	}
	seen := map[kind]bool{}
	for _, registry := range env.PushRegistries() {
		for _, w := range env.Workloads {
			k := kind{registry, strings.HasPrefix(w.Repository, env.Project+"_")}
			if w.DeploysOnPush() && w.Registry == registry && !seen[k] {
				seen[k] = true
				events = append(events, pushOf(env, registry, w.Repository))
			}
		}
	}
	return events
}

// from says where an event comes from that is not of the environment's own account and
// region.
func (e event) from(env *environment.Environment) string {
	if e.account == env.AccountID && e.region == env.Region {
		return ""
	}
	return " from account " + e.account + " in " + e.region
}

func pushOf(env *environment.Environment, registry image.Registry, repository string) event {
	return event{"pushes", "ECR Image Action", "aws.ecr", registry.AccountID, registry.Region, nil, map[string]any{
		"action-type": "PUSH", "result": "SUCCESS", "repository-name": repository, "image-tag": "latest",
		"image-digest": "sha256:" + strings.Repeat("0", 64)}}
}

// rolloutEvent returns ECS's event about a rollout in the cluster that ended.
func rolloutEvent(c *checker) event {
	return event{"rollout events", "ECS Deployment State Change", "aws.ecs", c.env.AccountID, c.env.Region,
		[]string{c.arn("ecs", "service/"+c.env.Cluster+"/any")},
		map[string]any{"eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_COMPLETED", "deploymentId": "ecs-svc/1",
			"updatedAt": "2026-01-01T00:00:00Z", "reason": "ECS deployment completed."}}
}

// hookEvent returns ECS's event about a deployment in the cluster that paused.
func hookEvent(c *checker) event {
	return event{"hook events", "ECS Hook State Change", "aws.ecs", c.env.AccountID, c.env.Region,
		[]string{c.arn("ecs", "service-deployment/"+c.env.Cluster+"/any/1")},
		map[string]any{"eventName": "HOOK_AWAITING_ACTION", "hookType": "PAUSE",
			"clusterArn": c.arn("ecs", "cluster/"+c.env.Cluster)}}
}

// runEvents returns ECS's event about a task in the cluster that has ended, of each kind of
// pointer that starts tasks of the environment: how ECS names what started it.
func runEvents(c *checker) (events []event) {
	seen := map[string]bool{}
	for _, w := range c.env.Workloads {
		for _, p := range w.Pointers.All() {
			kind, by := "schedules", "chronos-schedule/"
			if p.Rule {
				kind, by = "rules", "events-rule/"
			}
			if seen[by] {
				continue
			}
			seen[by] = true
			events = append(events, event{"ends of tasks that " + kind + " start", "ECS Task State Change", "aws.ecs",
				c.env.AccountID, c.env.Region, []string{c.arn("ecs", "task/"+c.env.Cluster+"/1")},
				map[string]any{"lastStatus": "STOPPED", "clusterArn": c.arn("ecs", "cluster/"+c.env.Cluster),
					"startedBy": by + "1"}})
		}
	}
	return events
}

// change is an event about configuration that changed, and the kind of its rule.
type change struct {
	kind  string
	event event
}

// changeEvents returns an event of each kind of configuration whose changes redeploy services.
func changeEvents(c *checker) (all []change) {
	of := func(kind, detailType, source, resource string, detail map[string]any) {
		all = append(all, change{kind, event{kind + " events", detailType, source, c.env.AccountID, c.env.Region,
			[]string{resource}, detail}})
	}
	for _, on := range c.env.RedeployOn {
		switch on {
		case environment.Parameters:
			of("parameter", "Parameter Store Change", "aws.ssm", c.arn("ssm", "parameter/any"),
				map[string]any{"operation": "Update", "name": "/any"})
		case environment.Secrets:
			of("secret", "Secret Label Updated", "aws.secretsmanager", c.arn("secretsmanager", "secret:any-a1b2c3"),
				map[string]any{"name": "any", "labelUpdated": "AWSCURRENT"})
		case environment.EnvFiles:
			of("file", "Object Created", "aws.s3", "arn:"+c.caller.Partition+":s3:::any",
				map[string]any{"bucket": map[string]any{"name": "any"}, "object": map[string]any{"key": "any.env"}})
		}
	}
	return all
}

// arn returns the ARN of a resource in the environment's account and region.
func (c *checker) arn(service, resource string) string {
	return "arn:" + c.caller.Partition + ":" + service + ":" + c.env.Region + ":" + c.env.AccountID + ":" + resource
}
