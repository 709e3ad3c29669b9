package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// rule is one rule of a lifecycle policy, as ECR's user guide has it under
// "Lifecycle policy properties".
type rule struct {
	RulePriority int
	Description  string
	Selection    struct {
		TagStatus      string // "tagged", "untagged" or "any"
		TagPatternList []string
		TagPrefixList  []string
		CountType      string // "imageCountMoreThan", or "since…" with a number of days
		CountUnit      string
		CountNumber    int
	}
	Action struct{ Type string } // "expire" or "transition"
}

// lifecycle reports whether the repository's policy can delete the image that
// runs, and how near it is to that. An image can be expired by the first rule
// only whose tags it matches: lower ones leave it alone.
func (c *chart) lifecycle(text string, images []types.ImageDetail, running types.ImageDetail) {
	if text == "" {
		c.ok("lifecycle", "the repository has no lifecycle policy, and keeps every image")
		return
	}
	var policy struct{ Rules []rule }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		c.add("lifecycle", Unknown, "not checked: reading the lifecycle policy: "+err.Error(), "")
		return
	}
	slices.SortFunc(policy.Rules, func(a, b rule) int { return cmp.Compare(a.RulePriority, b.RulePriority) })
	i := slices.IndexFunc(policy.Rules, func(r rule) bool { return r.selects(running) })
	if i < 0 {
		c.ok("lifecycle", "no rule of the repository's lifecycle policy is about the image that runs")
		return
	}
	r := policy.Rules[i]
	const fix = "deployer policy lifecycle prints a policy that keeps releases; or tag what runs so that no rule selects it"
	switch r.Selection.CountType {
	case "imageCountMoreThan":
		newer := 0
		for _, d := range images {
			if r.selects(d) && aws.ToTime(d.ImagePushedAt).After(aws.ToTime(running.ImagePushedAt)) {
				newer++
			}
		}
		left := r.Selection.CountNumber - newer
		seen := fmt.Sprintf("%s keeps %d images, and the one that runs is number %d from the newest: ", r, r.Selection.CountNumber, newer+1)
		switch {
		case left <= 0:
			c.add("lifecycle", Problem, seen+"it is due to be "+r.fate(), fix)
		case left >= 1000: // as good as never
			c.ok("lifecycle", "%s%d more images may come before it is %s", seen, left, r.fate())
		default:
			c.add("lifecycle", Warning, fmt.Sprintf("%safter %d more it is %s", seen, left, r.fate()), fix)
		}
	case "sinceImagePushed":
		age := int(time.Since(aws.ToTime(running.ImagePushedAt)).Hours() / 24)
		c.add("lifecycle", Warning, fmt.Sprintf("by %s images are %s %d days after their push, and the one that runs was pushed %d days ago", r, r.fate(), r.Selection.CountNumber, age), fix)
	default: // since the last pull, or since the change to another storage class
		c.add("lifecycle", Warning, fmt.Sprintf("%s can reach the image that runs, once %d days have passed by %s", r, r.Selection.CountNumber, r.Selection.CountType), fix)
	}
}

// fate is what the rule does to images.
func (r rule) fate() string {
	if r.Action.Type == "transition" {
		return "archived"
	}
	return "deleted"
}

func (r rule) String() string {
	text := fmt.Sprintf("rule %d of the lifecycle policy", r.RulePriority)
	if r.Description != "" {
		text += fmt.Sprintf(" (%q)", r.Description)
	}
	return text
}

// selects reports whether the rule is about an image, by its tags.
func (r rule) selects(d types.ImageDetail) bool {
	switch r.Selection.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(d.ImageTags) == 0
	}
	every := func(patterns []string, matches func(pattern, tag string) bool) bool {
		for _, p := range patterns { // each of them, by some tag
			if !slices.ContainsFunc(d.ImageTags, func(tag string) bool { return matches(p, tag) }) {
				return false
			}
		}
		return len(patterns) > 0
	}
	return every(r.Selection.TagPatternList, matchTag) ||
		every(r.Selection.TagPrefixList, func(prefix, tag string) bool { return strings.HasPrefix(tag, prefix) })
}

// matchTag reports whether a tag matches a pattern in which * stands for any text.
func matchTag(pattern, tag string) bool {
	form := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
	ok, err := regexp.MatchString(form, tag)
	return ok && err == nil
}
