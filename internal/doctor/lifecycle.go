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

// rule is a rule of a lifecycle policy. See "Lifecycle policy properties" in the ECR
// user guide.
type rule struct {
	RulePriority int
	Description  string
	Selection    struct {
		TagStatus      string // "tagged", "untagged" or "any"
		TagPatternList []string
		TagPrefixList  []string
		StorageClass   string // "standard", the default, or "archive"
		CountType      string // "imageCountMoreThan", or "since…" with a number of days
		CountUnit      string
		CountNumber    int
	}
	Action struct{ Type string } // "expire" or "transition"
}

// lifecycle reports whether the repository's lifecycle policy can delete the
// running image, and how soon. Only the first rule that selects an image can
// expire it. Better is the command that prints another policy, for the fix.
func (f *findings) lifecycle(better, text string, images []types.ImageDetail, running types.ImageDetail) {
	var policy struct{ Rules []rule }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		f.add("lifecycle", Unknown, "not checked: reading the lifecycle policy: "+err.Error(), "")
		return
	}
	slices.SortFunc(policy.Rules, func(a, b rule) int { return cmp.Compare(a.RulePriority, b.RulePriority) })
	i := slices.IndexFunc(policy.Rules, func(r rule) bool { return r.selects(running) })
	if i < 0 {
		f.ok("lifecycle", "no rule of the repository's lifecycle policy selects the running image")
		return
	}
	r := policy.Rules[i]
	fix := "use a policy that keeps releases (" + better +
		"), or tag the running image so that no rule selects it"
	switch r.Selection.CountType {
	case "imageCountMoreThan":
		newer := 0
		for _, d := range images {
			if r.selects(d) && aws.ToTime(d.ImagePushedAt).After(aws.ToTime(running.ImagePushedAt)) {
				newer++
			}
		}
		left := r.Selection.CountNumber - newer
		seen := fmt.Sprintf("%s keeps %d images, and the running one is number %d from the newest: ", r,
			r.Selection.CountNumber, newer+1)
		switch {
		case left <= 0:
			f.add("lifecycle", Problem, seen+"it is due to be "+r.fate(), fix)
		case left >= 1000: // practically never
			f.ok("lifecycle", "%s keeps the running image", r)
		default:
			f.add("lifecycle", Warning, fmt.Sprintf("%sit is %s after %d more", seen, r.fate(), left), fix)
		}
	case "sinceImagePushed":
		age := int(time.Since(aws.ToTime(running.ImagePushedAt)).Hours() / 24)
		f.add("lifecycle", Warning,
			fmt.Sprintf("by %s images are %s %d days after their push, and the running one was pushed %d days ago", r,
				r.fate(), r.Selection.CountNumber, age), fix)
	default: // since the last pull, or since the change to another storage class
		f.add("lifecycle", Warning, fmt.Sprintf("%s can select the running image, once %d days have passed by %s", r,
			r.Selection.CountNumber, r.Selection.CountType), fix)
	}
}

// fate returns what the rule does with an image.
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

// selects reports whether the rule selects an image, by its tags. It does not, if it is about archived images: a
// running image that is archived is reported by exists.
func (r rule) selects(d types.ImageDetail) bool {
	if r.Selection.StorageClass == "archive" {
		return false
	}
	switch r.Selection.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(d.ImageTags) == 0
	}
	every := func(patterns []string, matches func(pattern, tag string) bool) bool {
		for _, p := range patterns { // every pattern must match one of the tags
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
