package environment

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// TagPattern is a pattern of image tags, such as "latest" or "env-dev-*", in the
// language of [path.Match].
type TagPattern string

// ParseTagPattern parses a pattern. It accepts neither slashes, colons nor spaces,
// which no tag contains.
func ParseTagPattern(s string) (TagPattern, error) {
	if _, err := path.Match(s, ""); err != nil || s == "" || strings.ContainsAny(s, "/: ") {
		return "", fmt.Errorf("%q is not a pattern of tags", s)
	}
	return TagPattern(s), nil
}

// Match reports whether the pattern matches a whole tag.
func (p TagPattern) Match(tag string) bool {
	ok, err := path.Match(string(p), tag)
	return ok && err == nil
}

// IsExact reports whether the pattern has no wildcard: it matches one tag, itself.
func (p TagPattern) IsExact() bool { return !strings.ContainsAny(string(p), `*?[\`) }

// TagPolicy is the patterns of the tags that deploy an environment when they are
// pushed. An empty policy matches no tag.
type TagPolicy []TagPattern

// DefaultTagPolicy returns the policy of an environment whose file has no
// `auto_deploy`: latest deploys dev, latest and env-NAME-* deploy others, and no
// push deploys production.
func DefaultTagPolicy(env string) TagPolicy {
	switch env {
	case "dev":
		return TagPolicy{"latest"}
	case "prod", "production":
		return TagPolicy{}
	}
	return TagPolicy{"latest", TagPattern("env-" + env + "-*")}
}

// Match reports whether a push of tag deploys.
func (p TagPolicy) Match(tag string) bool {
	return slices.ContainsFunc(p, func(pattern TagPattern) bool { return pattern.Match(tag) })
}

// IsEmpty reports whether no push deploys.
func (p TagPolicy) IsEmpty() bool { return len(p) == 0 }

// String returns the patterns, separated by commas.
func (p TagPolicy) String() string {
	patterns := make([]string, len(p))
	for i, pattern := range p {
		patterns[i] = string(pattern)
	}
	return strings.Join(patterns, ", ")
}
