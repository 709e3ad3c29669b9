package emulator

import (
	"regexp"
	"slices"
	"strings"
)

// A tag is a tag of an ECS resource.
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// mostTags is how many tags a resource may have.
const mostTags = 50

var (
	tagKeyForm   = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$`)
	tagValueForm = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$`)
)

// checkTags refuses tags that ECS would refuse.
func checkTags(tags []tag) *Error {
	if len(tags) > mostTags {
		return errInvalidParameter("The maximum number of tags is %d.", mostTags)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return errInvalidParameter("aws: prefixed tag key names are not allowed for external use.")
		case !tagKeyForm.MatchString(t.Key):
			return errInvalidParameter("Invalid tag key '%s'.", t.Key)
		case !tagValueForm.MatchString(t.Value):
			return errInvalidParameter("Invalid tag value '%s' for the key '%s'.", t.Value, t.Key)
		case seen[t.Key]:
			return errInvalidParameter("Duplicate tag key '%s'.", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}

// mergeTags sets the added tags among those there are.
func mergeTags(tags, added []tag) []tag {
	merged := slices.Clone(tags)
	for _, t := range added {
		i := slices.IndexFunc(merged, func(m tag) bool { return m.Key == t.Key })
		if i < 0 {
			merged = append(merged, t)
		} else {
			merged[i] = t
		}
	}
	return merged
}

// openTags asks for leave for the request's action, which may send or remove tags, and
// returns the tags of the resource of the caller's that the ARN means. There is no
// ecs:CreateAction: nothing is created.
func (e *Emulator) openTags(r *request, arn string, sent []tag, removed []string) (*[]tag, *Error) {
	a := access{action: r.name(), resource: arn, context: addRequestTags(nil, sent), untagged: removed}
	if err := e.authorize(r, a); err != nil {
		return nil, err
	}
	_, key, resource, ok := splitARN(arn)
	if !ok || key != r.key() {
		return nil, errInvalidParameter("The ARN provided is invalid.")
	}
	kind, id, _ := strings.Cut(resource, "/")
	s := e.scope(r.account, r.region)
	switch kind {
	case "cluster":
		if c, ok := s.clusters[id]; ok {
			return &c.tags, nil
		}
		return nil, errClusterNotFound()
	case "service":
		name, service, _ := strings.Cut(id, "/")
		c, err := e.findCluster(r, name)
		if err != nil {
			return nil, err
		}
		if found, ok := c.services[service]; ok {
			return &found.tags, nil
		}
		return nil, errServiceNotFound()
	case "task-definition":
		if td := s.findTaskDefinition(id); td != nil && strings.Contains(id, ":") {
			return &td.tags, nil
		}
	}
	return nil, errInvalidParameter("The specified resource is not found.")
}

// authorizeTagging asks for leave to send tags with the request that makes a resource.
func (e *Emulator) authorizeTagging(r *request, resource string, tags []tag) *Error {
	if len(tags) == 0 {
		return nil
	}
	context := addRequestTags(map[string]string{"ecs:CreateAction": r.operation}, tags)
	return e.authorize(r, access{action: "ecs:TagResource", resource: resource, context: context})
}

type tagResourceInput struct {
	ARN  string `json:"resourceArn"`
	Tags []tag  `json:"tags"`
}

func (e *Emulator) tagResource(r *request, in tagResourceInput) (any, *Error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	tags, err := e.openTags(r, in.ARN, in.Tags, nil)
	if err != nil {
		return nil, err
	}
	merged := mergeTags(*tags, in.Tags)
	if err := checkTags(merged); err != nil {
		return nil, err
	}
	*tags = merged
	return object{}, nil
}

type untagResourceInput struct {
	ARN  string   `json:"resourceArn"`
	Keys []string `json:"tagKeys"`
}

func (e *Emulator) untagResource(r *request, in untagResourceInput) (any, *Error) {
	tags, err := e.openTags(r, in.ARN, nil, in.Keys)
	if err != nil {
		return nil, err
	}
	*tags = slices.DeleteFunc(slices.Clone(*tags), func(t tag) bool { return slices.Contains(in.Keys, t.Key) })
	return object{}, nil
}

type listTagsForResourceInput struct {
	ARN string `json:"resourceArn"`
}

func (e *Emulator) listTagsForResource(r *request, in listTagsForResourceInput) (any, *Error) {
	tags, err := e.openTags(r, in.ARN, nil, nil)
	if err != nil {
		return nil, err
	}
	return object{"tags": nonNil(*tags)}, nil
}
