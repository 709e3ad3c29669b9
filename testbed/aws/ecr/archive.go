package ecr

import (
	"fmt"
	"time"

	"deployer/testbed/aws/api"
)

// Archive moves the image with the digest to ECR's archive, as a lifecycle policy would: it keeps its tags and can be
// described, but cannot be pulled until it is pushed again.
func (e *Server) Archive(registry api.Scope, repository, digest string) error {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	repo := e.registries[registry][repository]
	if repo == nil {
		return fmt.Errorf("archiving image %q: account %s has no repository %q in region %s",
			digest, registry.Account, repository, registry.Region)
	}
	found := repo.byDigest(digest)
	if found == nil {
		return fmt.Errorf("archiving image %q: repository %q has no such image", digest, repository)
	}
	e.store(repo, found, true, e.backend.Clock())
	return nil
}

// store archives or restores the image, and sends the event if that is a change.
func (e *Server) store(repo *repository, i *image, archived bool, now time.Time) {
	if i.archived == archived {
		return
	}
	class := "STANDARD"
	if archived {
		class = "ARCHIVE"
	}
	detail := api.Object{
		"image-digest":         i.digest,
		"action-type":          "UPDATE_STORAGE_CLASS",
		"target-storage-class": class,
		"manifest-media-type":  i.mediaType,
		"last-activated-at":    api.EventTime(i.activated),
	}
	if i.config != "" {
		detail["artifact-media-type"] = i.config
	}
	i.archived = archived
	if archived {
		i.archivedAt = now
	} else {
		i.activated = now
	}
	e.publish(repo, now, detail)
}

// status returns the image's status as DescribeImages has it.
func (i *image) status() string {
	if i.archived {
		return "ARCHIVED"
	}
	return "ACTIVE"
}
