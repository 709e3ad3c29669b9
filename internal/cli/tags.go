package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/fault"
	"deployer/internal/resolve"
)

const (
	// tagsTime limits the listing of a repository's tags, which nothing depends on.
	tagsTime = 2 * time.Second
	// maxTags is how many tags an error lists.
	maxTags = 8
)

// tagActions are the IAM actions with which the error of a tag lists those that there are.
var tagActions = []string{"ecr:DescribeImages (optional: if ECR does not have TAG, lists the tags that it has)"}

// tagError is the fault of a tag that ECR does not have, with those that it has.
type tagError struct {
	error     // the fault
	tags, fix string
}

func (e *tagError) Unwrap() error { return e.error }

// Parts returns what is wrong, with the tags that there are, and what to do.
func (e *tagError) Parts() (what, hint string) {
	var parts parted
	what = e.error.Error()
	if errors.As(e.error, &parts) {
		what, hint = parts.Parts()
	}
	if e.fix != "" {
		hint = e.fix
	}
	return what + "; " + e.tags, hint
}

// withTags adds to the error of a tag that ECR does not have which tags there are, the
// newest first, if the credentials may list them (ecr:DescribeImages). The hint becomes
// the command line with the tag that was probably meant.
func (a *app) withTags(ctx context.Context, config aws.Config, env *environment.Environment, w environment.Workload,
	tag string, err error) error {
	if !errors.Is(err, fault.ErrImageNotFound) {
		return err
	}
	tags := newestTags(ctx, config, env, w)
	if len(tags) == 0 {
		return err
	}
	e := &tagError{error: err, tags: w.Repository + " has the tags " + newest(tags)}
	if slices.Contains(tags, tag) {
		e.tags = w.Repository + " has this tag, on a manifest that is neither OCI's image or index nor one of " +
			"Docker's schema 2, such as one of Docker's schema 1"
		e.fix = "push the image again with a current client"
		return e
	}
	if near := nearestTag(tag, tags); near != "" {
		e.fix = a.corrected(tag, near)
	}
	return e
}

// newestTags returns the tags of a workload's repository, those of the newest image first;
// none if they cannot be listed in [tagsTime].
func newestTags(ctx context.Context, config aws.Config, env *environment.Environment, w environment.Workload) []string {
	ctx, cancel := context.WithTimeout(ctx, tagsTime)
	defer cancel()
	held, err := resolve.New(config).Holds(ctx, env, w)
	if err != nil {
		return nil
	}
	var tags []string
	for _, image := range held {
		tags = append(tags, image.Tags...)
	}
	return tags
}

// counted is a tag that counts, like v1.2.3 or 2026-01-22.
var counted = regexp.MustCompile(`^v?[0-9]+([.-][0-9]+)+$`)

// nearestTag returns the tag that was probably meant, "" if there is none. The next
// version is no misspelling of the last one.
func nearestTag(tag string, tags []string) string {
	if counted.MatchString(tag) {
		tags = slices.DeleteFunc(slices.Clone(tags), counted.MatchString)
	}
	return nearest(tag, tags)
}

// newest returns the newest of tags for people, and how many more there are.
func newest(tags []string) string {
	text := strings.Join(tags[:min(len(tags), maxTags)], ", ")
	if more := len(tags) - maxTags; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// maxNoted is of how many repositories the tags are noted.
const maxNoted = 4

// noteTags notes which tags there are instead of one that the repositories of some of the
// requested workloads do not have, and the command line with the one that was probably meant.
func (a *app) noteTags(ctx context.Context, s *session, requests []event.Request, missing []environment.Workload) {
	tag, workloads := requests[0].Tag, slices.Clone(missing)
	for _, request := range requests {
		if !slices.Contains(missing, request.Workload) {
			workloads = append(workloads, request.Workload)
		}
	}
	var common []string // tags that all of them have
	for i, w := range workloads[:min(len(workloads), maxNoted)] {
		tags := newestTags(ctx, s.config, s.env, s.env.Current(w))
		if len(tags) > 0 && i < len(missing) {
			a.note("%s has the tags %s", w.Repository, newest(tags))
		}
		if i == 0 {
			common = tags
		}
		common = slices.DeleteFunc(common, func(one string) bool { return !slices.Contains(tags, one) })
	}
	if near := nearestTag(tag, common); near != "" && len(workloads) <= maxNoted {
		fmt.Fprint(a.err, newCanvas(a.err).item("deployer: hint: ", a.corrected(tag, near), 2))
	}
}
