package ecs

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"deployer/testbed/aws/api"
)

// A tag is a tag of an ECS resource.
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// maxTags is how many tags a resource may have (ECS API reference, "TagResource").
const maxTags = 50

// IsTagKey reports whether a tag may have the key.
func IsTagKey(text string) bool { return text != "" && isTagText(text, 128) }

// IsTagValue reports whether a tag may have the value.
func IsTagValue(text string) bool { return isTagText(text, 256) }

// isTagText reports whether a text has only characters that tags may have, and at most the given number of them. The
// regular expression for that would take 14 ms of the start of every process that is linked with this package.
func isTagText(text string, most int) bool {
	for _, r := range text {
		if !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return utf8.RuneCountInString(text) <= most
}

// checkTags returns the error of ECS for tags that are not valid.
func checkTags(tags []tag) *api.Error {
	if len(tags) > maxTags {
		return api.InvalidParameter("The maximum number of tags is %d.", maxTags)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return api.InvalidParameter("aws: prefixed tag key names are not allowed for external use.")
		// "You cannot edit or delete tag keys or values with this prefix" (RegisterTaskDefinition, tags). Whether ECS
		// enforces it for values is not known: the emulator is as strict as the documentation.
		case strings.HasPrefix(strings.ToLower(t.Value), "aws:"):
			return api.InvalidParameter("aws: prefixed tag values are not allowed for external use.")
		case !IsTagKey(t.Key):
			return api.InvalidParameter("Invalid tag key '%s'.", t.Key)
		case !IsTagValue(t.Value):
			return api.InvalidParameter("Invalid tag value '%s' for the key '%s'.", t.Value, t.Key)
		case seen[t.Key]:
			return api.InvalidParameter("Duplicate tag key '%s'.", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}

// mergeTags returns the tags with the added ones, which replace those with the same keys.
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

// openTags checks that the caller may carry out the operation, which may send tags, on the resource with the ARN. It
// returns the tags of the resource. The condition key ecs:CreateAction has no value, because nothing is created.
func (e *Server) openTags(r *api.Request, arn string, sent []tag) (*[]tag, *api.Error) {
	a := api.Access{Action: r.Name(), Resource: arn, Context: addRequestTags(nil, sent)}
	if err := r.Authorize(a); err != nil {
		return nil, err
	}
	_, owner, resource, ok := api.SplitARN(arn)
	if !ok || owner != r.Scope() {
		return nil, api.InvalidParameter("The ARN provided is invalid.")
	}
	kind, id, _ := strings.Cut(resource, "/")
	account := e.account(r.Scope())
	switch kind {
	case "cluster":
		if c, ok := account.clusters[id]; ok {
			return &c.tags, nil
		}
		return nil, errClusterNotFound
	case "service":
		name, service, _ := strings.Cut(id, "/")
		c, err := e.findCluster(r, name)
		if err != nil {
			return nil, err
		}
		if found, ok := c.services[service]; ok {
			return &found.tags, nil
		}
		return nil, errServiceNotFound
	case "task-definition":
		td := account.findTaskDefinition(id)
		if td != nil && strings.Contains(id, ":") {
			return &td.tags, nil
		}
	}
	return nil, api.InvalidParameter("The specified resource is not found.")
}

// authorizeTagging checks that the caller may send tags with the request that creates a resource.
func (e *Server) authorizeTagging(r *api.Request, resource string, tags []tag) *api.Error {
	if len(tags) == 0 {
		return nil
	}
	context := addRequestTags(map[string]string{"ecs:CreateAction": r.Operation}, tags)
	return r.Authorize(api.Access{Action: "ecs:TagResource", Resource: resource, Context: context})
}

type tagResourceInput struct {
	ARN  string `json:"resourceArn"`
	Tags []tag  `json:"tags"`
}

func (e *Server) tagResource(r *api.Request, in tagResourceInput) (any, *api.Error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	tags, err := e.openTags(r, in.ARN, in.Tags)
	if err != nil {
		return nil, err
	}
	merged := mergeTags(*tags, in.Tags)
	if err := checkTags(merged); err != nil {
		return nil, err
	}
	*tags = merged
	return api.Object{}, nil
}

type listTagsForResourceInput struct {
	ARN string `json:"resourceArn"`
}

func (e *Server) listTagsForResource(r *api.Request, in listTagsForResourceInput) (any, *api.Error) {
	tags, err := e.openTags(r, in.ARN, nil)
	if err != nil {
		return nil, err
	}
	return api.Object{"tags": api.NonNil(*tags)}, nil
}

// addRequestTags adds the condition keys of the tags that a request sends.
func addRequestTags(context map[string]string, tags []tag) map[string]string {
	if context == nil {
		context = map[string]string{}
	}
	for _, t := range tags {
		context[api.RequestTagPrefix+t.Key] = t.Value
	}
	return context
}
