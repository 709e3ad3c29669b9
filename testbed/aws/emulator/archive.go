package emulator

import (
	"fmt"
	"time"
)

type updateImageStorageClassInput struct {
	repositoryID
	ID     imageID `json:"imageId"`
	Target string  `json:"targetStorageClass"`
}

// updateImageStorageClass archives an image or restores it, which is done at once.
func (e *Emulator) updateImageStorageClass(r *request, in updateImageStorageClassInput) (any, *Error) {
	repo, err := e.openRepository(r, in.repositoryID)
	if err != nil {
		return nil, err
	}
	if in.Target != "ARCHIVE" && in.Target != "STANDARD" {
		return nil, errConstraint("targetStorageClass", "Member must satisfy enum value set: [STANDARD, ARCHIVE]")
	}
	found, failure := repo.find(in.ID)
	if failure != nil {
		return nil, errImageNotFound(repo, in.ID)
	}
	e.store(repo, found, in.Target, r.now)
	return object{"registryId": repo.account, "repositoryName": repo.name, "imageId": in.ID, "imageStatus": found.status()}, nil
}

// Archive moves the image of the digest to ECR's archive, as a lifecycle policy would:
// it keeps its tags and can be described, but not pulled until it is pushed once more.
func (e *Emulator) Archive(account, region, repository, digest string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	repo := e.findRepository(scopeKey{account, region}, repository)
	if repo == nil {
		return fmt.Errorf("archiving %q: there is no repository %q in account %s, region %s", digest, repository, account, region)
	}
	found := repo.byDigest(digest)
	if found == nil {
		return fmt.Errorf("archiving %q: repository %q has no such image", digest, repository)
	}
	e.store(repo, found, "ARCHIVE", e.clock())
	return nil
}

// store moves the image to a storage class, and sends the event if it was in another.
func (e *Emulator) store(repo *repository, i *image, class string, now time.Time) {
	if i.archived == (class == "ARCHIVE") {
		return
	}
	detail := object{
		"result":               "SUCCESS",
		"repository-name":      repo.name,
		"image-digest":         i.digest,
		"action-type":          "UPDATE_STORAGE_CLASS",
		"target-storage-class": class,
		"manifest-media-type":  i.mediaType,
		"last-activated-at":    seconds(i.activated),
	}
	if i.config != "" {
		detail["artifact-media-type"] = i.config
	}
	if i.archived = class == "ARCHIVE"; i.archived {
		i.archivedAt = now
	} else {
		i.activated = now
	}
	e.sendServiceEvent(repo.scopeKey, now, "aws.ecr", "ECR Image Action", []string{}, detail)
}

// status is what DescribeImages says of whether the image can be pulled.
func (i *image) status() string {
	if i.archived {
		return "ARCHIVED"
	}
	return "ACTIVE"
}
