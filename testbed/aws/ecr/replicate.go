package ecr

import (
	"fmt"
	"time"

	"deployer/testbed/aws/api"
)

// Replicate copies the image with the tag to another registry, as ECR does for a replication rule, and returns its
// digest. The repository is created there if it is missing. The registry of the copy gets an ECR Replication Action
// event and no event of a push (ECR user guide, "Private image replication" and "Amazon ECR events and EventBridge").
func (e *Server) Replicate(from, to api.Scope, repositoryName, tag string) (digest string, err error) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	source := e.registries[from][repositoryName]
	if source == nil || source.byTag(tag) == nil {
		return "", fmt.Errorf("replicating tag %q of repository %q: account %s has no such image in region %s",
			tag, repositoryName, from.Account, from.Region)
	}
	now := e.backend.Clock()
	destination := e.registries[to][repositoryName]
	if destination == nil {
		destination = e.addRepository(to, repositoryName, now)
	}
	found := source.byTag(tag)
	for _, child := range found.children {
		if part := source.byDigest(child); part != nil {
			destination.put(part.copiedAt(now), "")
		}
	}
	if holder := destination.byTag(tag); holder == nil || holder.digest != found.digest {
		if holder != nil && destination.mutability.fixes(tag) {
			tag = "" // an immutable tag stays, and the copy has none
		}
		destination.put(found.copiedAt(now), tag)
	}
	for name, layer := range source.layers {
		destination.layers[name] = layer
	}
	detail := api.Object{
		"result": "SUCCESS", "repository-name": repositoryName, "image-digest": found.digest,
		"action-type": "REPLICATE", "source-account": from.Account, "source-region": from.Region,
	}
	if tag != "" {
		detail["image-tag"] = tag
	}
	e.events.Publish(api.Event{
		Scope: to, Time: now, Source: "aws.ecr", DetailType: "ECR Replication Action",
		Resources: []string{repositoryARN(to, repositoryName)}, Detail: detail,
	})
	return found.digest, nil
}

// copiedAt returns the image as a copy, without tags.
func (i *image) copiedAt(now time.Time) *image {
	c := *i
	c.tags, c.pushed, c.activated, c.archived = nil, now, now, false
	return &c
}
