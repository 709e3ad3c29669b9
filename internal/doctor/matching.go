package doctor

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// matching returns which kinds of the environment's events a pattern matches, as
// EventBridge itself decides it. A pattern whose source or detail-type is another is not
// sent: TestEventPattern is rate-limited.
func (c *checker) matching(ctx context.Context, pattern string) (kinds []string, err error) {
	for _, e := range samples(c.env, pattern) {
		general, _ := strings.CutSuffix(e.name, withoutProject)
		if slices.Contains(kinds, e.name) || slices.Contains(kinds, general) || excludes(pattern, e) {
			continue
		}
		out, err := c.events.TestEventPattern(ctx,
			&eventbridge.TestEventPatternInput{EventPattern: aws.String(pattern), Event: aws.String(e.String())})
		if err != nil {
			return nil, err
		}
		if out.Result {
			kinds = append(kinds, e.name)
		}
	}
	return kinds, nil
}

// excludes reports whether the pattern's source or detail-type is a list of other
// strings, which cannot match the event.
func excludes(pattern string, e event) bool {
	var p struct {
		Source     []json.RawMessage `json:"source"`
		DetailType []json.RawMessage `json:"detail-type"`
	}
	if json.Unmarshal([]byte(pattern), &p) != nil {
		return false
	}
	lacks := func(list []json.RawMessage, value string) bool {
		return len(list) > 0 && !slices.ContainsFunc(list, func(m json.RawMessage) bool {
			var text string
			return json.Unmarshal(m, &text) != nil || text == value // a filter such as {"prefix": …} may match
		})
	}
	return lacks(p.Source, e.source) || lacks(p.DetailType, e.detailType)
}

// samples returns events of each kind that deploys in the environment, or would with
// another deployer: DEPLOY events of each source, with their project before those
// without, and pushes to each registry. A member has all its possible values, as an array:
// a pattern matches an array if it matches one of its elements ("Arrays in EventBridge
// event patterns" in the EventBridge user guide). So one event stands for many.
func samples(env *environment.Environment, pattern string) (all []event) {
	tags := append([]string{"latest", "stable", "git-abc123f", "v1.2.3"}, tagsIn(pattern)...)
	deploys := deployDetails(env, tags)
	for _, source := range env.DeploySources {
		for _, project := range []string{env.Project, ""} {
			for _, detail := range deploys {
				detail = maps.Clone(detail)
				if project != "" {
					detail["project"] = project
				}
				all = append(all, deployEvent(env, source, detail))
			}
		}
	}
	repositories := map[image.Registry][]string{}
	var registries []image.Registry
	for _, w := range env.Workloads {
		if w.Repository == "" {
			continue
		}
		if repositories[w.Registry] == nil {
			registries = append(registries, w.Registry)
		}
		repositories[w.Registry] = append(repositories[w.Registry], w.Repository)
	}
	for _, registry := range registries {
		all = append(all, anyPushes(env, registry, repositories[registry], tags)...)
	}
	return all
}

// deployDetails returns the details of DEPLOY events: one with every member, and some
// with few, because a pattern may ask that a member is absent.
func deployDetails(env *environment.Environment, tags []string) []map[string]any {
	var names, tasks []string
	for _, w := range env.Workloads {
		name := strings.TrimPrefix(w.Name, environment.ServicePrefix)
		if slices.Contains(environment.Tasks, w.Kind) {
			tasks = append(tasks, name)
			names = append(names, environment.TaskPrefix+name)
		} else {
			names = append(names, w.Name, environment.ServicePrefix+name)
		}
	}
	several := append(slices.Clone(names), "*")
	actions := []string{"deploy", "redeploy", "rollback"}
	all := []map[string]any{
		{"service": names, "services": several, "tag": tags, "action": actions, "env": env.Name,
			"reason": "any", "actor": "any", "dry_run": false, "force": false},
		{"service": names, "tag": tags}, {"services": several, "tag": tags}, {"service": names, "action": actions},
	}
	if tasks != nil {
		all[0]["task"] = tasks
		all = append(all, map[string]any{"task": tasks, "tag": tags})
	}
	return all
}

// anyPushes returns pushes to repositories of a registry, as ECR reports them today, and
// as it did before 2025, and replications there.
func anyPushes(env *environment.Environment, registry image.Registry, repositories, tags []string) []event {
	push := pushOf(env, registry, "")
	push.detail["repository-name"], push.detail["image-tag"] = repositories, tags
	today, replication := push, push
	today.detail = maps.Clone(push.detail)
	today.detail["manifest-media-type"] = []string{"application/vnd.oci.image.manifest.v1+json",
		"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
		"application/vnd.docker.distribution.manifest.list.v2+json"}
	today.detail["artifact-media-type"] = []string{"application/vnd.oci.image.config.v1+json",
		"application/vnd.docker.container.image.v1+json"}
	replication.detailType, replication.detail = "ECR Replication Action", maps.Clone(push.detail)
	replication.detail["action-type"] = "REPLICATE"
	replication.detail["source-account"], replication.detail["source-region"] = registry.AccountID, registry.Region
	for _, repository := range repositories {
		replication.resources = append(replication.resources, "arn:"+image.PartitionOf(registry.Region).Name+":ecr:"+
			registry.Region+":"+registry.AccountID+":repository/"+repository)
	}
	return []event{push, today, replication}
}

// tagsIn returns the tags, and the parts of tags, that a pattern asks for: any tag can be
// pushed or sent.
func tagsIn(pattern string) (tags []string) {
	var collect func(value any, inTag bool)
	collect = func(value any, inTag bool) {
		switch value := value.(type) {
		case map[string]any:
			for name, v := range value {
				collect(v, inTag || name == "tag" || name == "image-tag")
			}
		case []any:
			for _, v := range value {
				collect(v, inTag)
			}
		case string:
			if tag := strings.ReplaceAll(value, "*", ""); inTag && tag != "" {
				tags = append(tags, tag)
			}
		}
	}
	var value any
	if json.Unmarshal([]byte(pattern), &value) == nil {
		collect(value, false)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
